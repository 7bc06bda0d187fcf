"""Answers published with a header block that is ready: same bytes, same refusals as nats-py's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats import errors

from adapters.nats.client import ResilientClient
from adapters.nats.headers import SERVER_RESPONSE_XKEY, response_block

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bootstrap.local.nats_server import LocalNatsServer

XKEY = "X" * 56


@pytest.fixture
async def client(nats_server: LocalNatsServer) -> AsyncIterator[ResilientClient]:
    client = ResilientClient()
    await client.connect_once(servers=[nats_server.url])
    yield client
    await client.close()


async def test_an_answer_arrives_with_its_header_and_body(client: ResilientClient) -> None:
    inbox = await client.subscribe("inbox")

    client.publish_raw(b"inbox", b"sealed", response_block(XKEY))

    message = await inbox.next_msg(timeout=5)
    assert message.headers == {SERVER_RESPONSE_XKEY: XKEY}
    assert message.data == b"sealed"


@pytest.mark.parametrize("subject", [b"", b"a b", b"a\tb", b"a\r\nPUB b 0", b"a\n"])
async def test_a_subject_that_could_hold_a_command_is_refused(
    client: ResilientClient, subject: bytes
) -> None:
    with pytest.raises(errors.BadSubjectError):
        client.publish_raw(subject, b"sealed", response_block(XKEY))


async def test_what_the_server_would_hang_up_over_is_refused(client: ResilientClient) -> None:
    block = response_block(XKEY)

    with pytest.raises(errors.MaxPayloadError):
        client.publish_raw(b"inbox", bytes(client.max_payload - len(block) + 1), block)

    client.publish_raw(b"inbox", bytes(client.max_payload - len(block)), block)
    await client.flush()
    assert client.is_connected


async def test_a_closed_client_refuses(client: ResilientClient) -> None:
    await client.close()

    with pytest.raises(errors.ConnectionClosedError):
        client.publish_raw(b"inbox", b"sealed", response_block(XKEY))


async def test_while_reconnecting_only_so_much_is_kept(client: ResilientClient) -> None:
    inbox = await client.subscribe("inbox")
    await client.flush()
    block = response_block(XKEY)
    client._status = ResilientClient.RECONNECTING
    client._max_pending_size = 1000

    client.publish_raw(b"inbox", b"kept", block)
    with pytest.raises(errors.OutboundBufferLimitError):
        client.publish_raw(b"inbox", bytes(1000), block)

    client._status = ResilientClient.CONNECTED
    await client.flush()
    assert (await inbox.next_msg(timeout=5)).data == b"kept"
