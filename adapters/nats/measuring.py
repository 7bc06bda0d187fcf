"""Measuring what a login may publish, beside the connection that serves.

A message that is too long ends its connection, and with it what is on the way there and back. So
each is tried over a connection without subscriptions, to an inbox without a reader.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog
from nats import errors
from typing_extensions import override

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.own_limit import measured_limit

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWER_SECONDS: Final = 5
_MOST_BYTES: Final = 4 * 1024 * 1024
"""A login that may publish this much is taken for one without a limit: no secret is as long."""

_log = structlog.get_logger()


class ProbeConnection(NatsConnection):
    """A connection that may be lost at any time, and says so in no log."""

    measures = False

    async def takes(self, size: int) -> bool:
        """Whether the server takes a message of so many bytes from this login.

        Raises:
            NatsConnectError: no server took this client.
            TimeoutError, nats.errors.Error, OSError: that remained open.
        """
        self._lost = asyncio.Event()
        await self.open()
        try:
            subject = f"{self._inbox_prefix}.{secrets.token_hex(12)}"
            if (waiting := self.client.publish_raw(subject.encode(), bytes(size))) is not None:
                await waiting
            flushed = asyncio.create_task(self.client.flush(_ANSWER_SECONDS))
            lost = asyncio.create_task(self._lost.wait())
            await asyncio.wait({flushed, lost}, return_when=asyncio.FIRST_COMPLETED)
            for task in (flushed, lost):
                task.cancel()
            with suppress(asyncio.CancelledError):
                if not self._lost.is_set():
                    await flushed
            return not self._lost.is_set()
        finally:
            await self.close()

    @override
    async def _on_error(self, error: Exception) -> None:
        if self._failures is not None:
            self._failures.append(error)
        elif "permissions violation" not in str(error).lower():
            self._lost.set()

    @override
    async def _on_disconnected(self) -> None:
        self._lost.set()

    @override
    async def _on_reconnected(self) -> None:
        self._lost.set()


async def measure(connection: NatsConnection, probe: Callable[[], ProbeConnection]) -> None:
    """Find out what the login of a connection may publish, and have it keep to that."""
    client = connection.client
    servers = client.servers_max_payload
    most = min(servers, _MOST_BYTES)

    async def takes(size: int) -> bool:
        return await probe().takes(size)

    try:
        limit = await measured_limit(takes, most)
    except (NatsConnectError, errors.Error, OSError, TimeoutError) as error:
        _log.warning("nats.payload_limit_unknown", error=type(error).__name__)
        return
    client.set_own_limit(limit if limit < most else servers)
    if limit < most:
        _log.warning("nats.payload_limit_learned", largest_bytes=limit, server_bytes=servers)
