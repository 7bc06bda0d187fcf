"""The host's end of the protocol over NATS: for probes, the command line and other replicas."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from nats import errors
from typing_extensions import override

from adapters.nats.headers import HOST_XKEY, NO_RESPONDERS, SERVER_RESPONSE_XKEY, STATUS
from domain.model.transport import Reply
from ports.transport import Channel, ChannelError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from adapters.nats.subjects import SecretsSubjects

_RESPONSE_XKEY = SERVER_RESPONSE_XKEY.lower()


class NatsChannel(Channel):
    """Sends requests as a wasmCloud host does. `inbox`: what the reply subject begins with, where
    it must not be one of the client's inboxes.
    """

    def __init__(
        self, client: Client, subjects: SecretsSubjects, *, inbox: str | None = None
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._inbox = inbox

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        subject = self._subjects.of(operation)
        headers = None if host_xkey is None else {HOST_XKEY: host_xkey}
        message = None
        try:
            if self._inbox is None:
                message = await self._client.request(
                    subject, body, timeout=timeout_seconds, headers=headers
                )
            else:
                message = await self._request(subject, body, headers, timeout_seconds)
        except errors.NoRespondersError:
            failure = _no_responders(subject)
        except TimeoutError:
            failure = _timeout(subject) if self._client.is_connected else _disconnected(subject)
        except (errors.Error, OSError):
            failure = _disconnected(subject)
        if message is None:
            raise failure
        return Reply(message.data, _response_xkey(message.headers))

    async def _request(
        self, subject: str, body: bytes, headers: dict[str, str] | None, seconds: float
    ) -> Msg:
        reply: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

        async def take(message: Msg) -> None:
            if not reply.done():
                reply.set_result(message)

        inbox = f"{self._inbox}.{secrets.token_hex(12)}"
        subscription = await self._client.subscribe(inbox, cb=take)
        try:
            await self._client.publish(subject, body, reply=inbox, headers=headers)
            async with asyncio.timeout(seconds):
                message = await reply
        finally:
            with suppress(errors.Error, OSError):
                await subscription.unsubscribe()
        if not message.data and (message.headers or {}).get(STATUS) == NO_RESPONDERS:
            raise errors.NoRespondersError
        return message


def _response_xkey(headers: dict[str, str] | None) -> str | None:
    for name, value in (headers or {}).items():
        if name.lower() == _RESPONSE_XKEY:
            return value
    return None


def _no_responders(subject: str) -> ChannelError:
    return ChannelError(
        f"No service listens on {subject}. Check that the service is running, that its "
        "NATS_SUBJECT_PREFIX, API_VERSION and BACKEND_NAME give this subject, and that both ends "
        "are in the same NATS account or share the subject between theirs.",
        reason="no_responders",
    )


def _timeout(subject: str) -> ChannelError:
    return ChannelError(
        f"No reply came from {subject} in time. Check the service's log, and that both ends' NATS "
        "permissions let requests and replies pass.",
        reason="timeout",
    )


def _disconnected(subject: str) -> ChannelError:
    return ChannelError(
        f"The request to {subject} could not be sent: the connection to NATS is gone, or the body "
        "is larger than the server takes. Check that nats-server is running and NATS_URL is right.",
        reason="disconnected",
    )
