"""Leaving a server that is going to stop, without a moment in which no replica listens.

A server in lame duck mode ends its connections one by one, and a client that waits for that is deaf
until it is connected elsewhere. So a second connection joins the queue group on another server
first; then the old subscription ends, all that was sent to it is read, and the connection moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from nats import errors

from adapters.nats.connect_errors import NatsConnectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.nats.connection import NatsConnection
    from adapters.nats.transport import NatsTransport
    from ports.clock import Clock

_SPREAD_SECONDS: Final = 0.3
"""For servers of a cluster to tell each other of a subscription."""

_MOVE_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02

_log = structlog.get_logger()


class Moving:
    """Moves a connection to another server.

    Args:
        connection: what is to move.
        transport: what listens on it.
        second: makes another connection with a transport of the same queue group on it.
        grace_seconds: for what the second one has taken in.
    """

    def __init__(
        self,
        connection: NatsConnection,
        transport: NatsTransport,
        second: Callable[[], tuple[NatsConnection, NatsTransport]],
        clock: Clock,
        grace_seconds: float,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._second = second
        self._clock = clock
        self._grace_seconds = grace_seconds

    async def move(self) -> None:
        """Move, if there is another server; otherwise stay until the server ends the connection."""
        others = self._connection.client.other_servers()
        if not others or not self._transport.is_listening:
            return
        bridge, listener = self._second()
        try:
            await bridge.open(others)
            await listener.start(self._transport.handler)
        except NatsConnectError as error:
            _log.warning("nats.move_failed", reason=error.reason)
        else:
            await self._cross()
        await listener.stop(self._grace_seconds)
        await bridge.close()

    async def _cross(self) -> None:
        client, clock = self._connection.client, self._clock
        await clock.sleep(_SPREAD_SECONDS)
        try:
            async with clock.timeout_at(clock.monotonic() + _MOVE_SECONDS):
                client.begin_leaving()
                await self._transport.pause()
                await client.leave_server()
                while not client.is_connected:
                    await clock.sleep(_POLL_SECONDS)
                await client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("nats.move_failed", reason=type(error).__name__)
            return
        await clock.sleep(_SPREAD_SECONDS)
        _log.info("nats.moved")
