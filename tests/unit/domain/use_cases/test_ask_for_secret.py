"""The host's side, against the real core on fakes."""

from __future__ import annotations

import pytest
from typing_extensions import override

from domain.model.errors import DecryptionFailed, InvalidEntityJwt, SecretNotFound
from domain.model.messages import RequestContext, SecretRequest
from domain.model.replies import MalformedReplyError
from domain.model.secret import Secret, SecretValue
from domain.model.transport import Reply, Request
from domain.use_cases.ask_for_secret import HostClient
from ports.transport import Channel, ChannelError
from tests.support.core import ENTITY, HOST, Core

REQUEST = SecretRequest(key="KEY", context=RequestContext(entity_jwt=ENTITY, host_jwt=HOST))


class CoreChannel(Channel):
    """Carries requests straight into the core, unless a test sets its own reply."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.operations: list[str] = []
        self.reply: Reply | ChannelError | None = None

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        self.operations.append(operation)
        if isinstance(self.reply, ChannelError):
            raise self.reply
        request = Request(operation, body, host_xkey, self._core.clock.monotonic())
        return self.reply or await self._core.answer.handle(request)


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def channel(core: Core) -> CoreChannel:
    return CoreChannel(core)


@pytest.fixture
def client(core: Core, channel: CoreChannel) -> HostClient:
    return HostClient(channel, core.host_keys)


async def test_a_secret_is_fetched_and_shows_nothing_until_revealed(
    core: Core, client: HostClient
) -> None:
    core.store.put("/KEY", "canary-value")

    secret = await client.get(REQUEST)

    assert secret == Secret("1", SecretValue("canary-value"))
    assert "canary" not in repr(secret)


async def test_the_server_xkey_is_asked_for_once(
    core: Core, channel: CoreChannel, client: HostClient
) -> None:
    core.store.put("/KEY", "value")
    await client.get(REQUEST)
    await client.get(REQUEST)

    assert channel.operations == ["server_xkey", "get", "get"]


async def test_refusals_come_as_the_servers_own_typed_errors(client: HostClient) -> None:
    with pytest.raises(SecretNotFound):
        await client.get(REQUEST)
    with pytest.raises(InvalidEntityJwt, match="request-3"):
        await client.get(
            SecretRequest(key="KEY", context=RequestContext(entity_jwt="forged", host_jwt=HOST))
        )


async def test_a_reply_sealed_for_another_request_is_malformed(
    core: Core, channel: CoreChannel, client: HostClient
) -> None:
    await client.server_xkey()
    thief = core.key_exchange.generate()
    channel.reply = Reply(thief.seal(b"{}", thief.public), response_xkey=thief.public)

    with pytest.raises(MalformedReplyError):
        await client.get(REQUEST)


async def test_a_server_xkey_that_is_none_is_malformed(
    channel: CoreChannel, client: HostClient
) -> None:
    channel.reply = Reply(b"\xff not a key")

    with pytest.raises(MalformedReplyError):
        await client.server_xkey()


async def test_a_server_that_refuses_to_tell_its_xkey_is_heard(
    channel: CoreChannel, client: HostClient
) -> None:
    channel.reply = Reply(b'{"error":"DecryptionError"}')

    with pytest.raises(DecryptionFailed):
        await client.server_xkey()


async def test_silence_is_a_channel_error(channel: CoreChannel, client: HostClient) -> None:
    channel.reply = ChannelError("No service listens; start the service.", reason="no_responders")

    with pytest.raises(ChannelError):
        await client.get(REQUEST)
