"""A login that may publish less than its server takes: refused replies instead of lost ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.crypto.nkeys_text import KeyKind
from adapters.nats import own_limit
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.own_limit import payload_limit_of
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from ports.transport import ChannelError
from tests.fakes.transport import FakeHandler
from tests.support.nats_key_pairs import KeyPair, operator_config
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.integration.conftest import StartNatsServer

LIMIT = 3000
_ECHO = len(b"echo ")


def login(url: str, user: KeyPair, user_jwt: str) -> NatsConnection:
    settings = NatsSettings(
        urls=(url,), nkey_seed=SecretStr(user.seed), user_jwt=SecretStr(user_jwt)
    )
    return NatsConnection(settings, SystemClock(), reconnect_wait=0.05)


async def serve(
    start_nats_server: StartNatsServer, sizes: list[int]
) -> tuple[list[bytes], NatsConnection]:
    """Ask for replies of these sizes, one after the other; "" stands for one that never came."""
    user = KeyPair(KeyKind.USER)
    config, limited = operator_config(user, payload=LIMIT)
    server = await start_nats_server(config)
    subjects, clock = SecretsSubjects(), SystemClock()
    connection = login(server.url, user, limited)
    transport = NatsTransport(connection.client, subjects, clock)
    answers = []
    async with connection, login(server.url, user, limited) as host:
        await transport.start(FakeHandler())
        channel = NatsChannel(host.client, subjects)
        for size in sizes:
            try:
                body = bytes(size)
                answers.append((await channel.request("get", body, None, 2)).body)
            except ChannelError:
                answers.append(b"")
            async with asyncio.timeout(5):
                while not connection.is_connected:  # noqa: ASYNC110  no event tells
                    await asyncio.sleep(0.01)
        await until(lambda: connection.client.max_payload == LIMIT)
        await transport.stop(0)
    return answers, connection


async def test_the_limit_is_read_from_the_users_jwt(start_nats_server: StartNatsServer) -> None:
    largest = LIMIT - _ECHO  # these replies have no headers

    answers, connection = await serve(start_nats_server, [largest, largest + 1, largest])

    assert answers == [
        b"echo " + bytes(largest),
        b"refused as reply_not_carried",
        b"echo " + bytes(largest),
    ]
    assert connection.client.stats["reconnects"] == 0


async def test_a_limit_that_no_jwt_names_is_learned_from_the_first_violation(
    start_nats_server: StartNatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_limit, "payload_limit_of", lambda _: None)

    answers, connection = await serve(start_nats_server, [100, LIMIT, 100, LIMIT])

    assert answers == [
        b"echo " + bytes(100),
        b"",
        b"echo " + bytes(100),
        b"refused as reply_not_carried",
    ]
    assert connection.client.stats["reconnects"] == 1


@pytest.mark.parametrize(
    ("nats", "limit"),
    [({"payload": 512}, 512), ({"payload": -1}, None), ({}, None), ({"payload": "512"}, None)],
)
def test_a_jwt_names_a_limit_or_none(nats: dict[str, object], limit: int | None) -> None:
    account, user = KeyPair(KeyKind.ACCOUNT), KeyPair(KeyKind.USER)

    assert payload_limit_of(account.token(user.public, "U", nats).encode()) == limit


@pytest.mark.parametrize("text", [b"", b"a.b", b"a.b.c", b"a.W10.c", b"a.\xff\xff.c"])
def test_what_is_no_jwt_names_no_limit(text: bytes) -> None:
    assert payload_limit_of(text) is None
