"""Leaving a server that is going to stop, without a moment in which no replica listens.

A server in lame duck mode ends its connections one by one, and a client that waits for that is deaf
until it is connected elsewhere. So a second connection joins the queue group on another server
first; then the old subscription ends, all that was sent to it is read, and the connection moves.

The store and the audit streams have a connection of their own, where one of them uses NATS. On one
connection JetStream's answers come behind all requests that were sent before them: a flood makes
every read of the store late, and a server that hangs up over it takes them along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
from nats import errors
from nats.aio.client import Client
from typing_extensions import override

from adapters.nats.connect_errors import NatsConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.nats.client import ResilientClient
    from adapters.nats.connection import NatsConnection
    from adapters.nats.transport import NatsTransport
    from ports.clock import Clock

_SPREAD_SECONDS: Final = 0.3
"""For servers of a cluster to tell each other of a subscription."""

_MOVE_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02

_log = structlog.get_logger()


async def move(
    connection: NatsConnection,
    transport: NatsTransport,
    second: Callable[[], tuple[NatsConnection, NatsTransport]],
    clock: Clock,
    grace_seconds: float,
) -> None:
    """Move a connection to another server; without one it stays until the server ends it.

    Args:
        transport: what listens on the connection.
        second: makes another connection with a transport of the same queue group on it.
        grace_seconds: for what the second one has taken in.
    """
    others = connection.client.other_servers()
    if not others or not transport.is_listening:
        return
    bridge, listener = second()
    try:
        await bridge.open(others)
        await listener.start(transport.handler)
    except NatsConnectError as error:
        _log.warning("nats.move_failed", reason=error.reason)
    else:
        await _cross(connection.client, transport, clock)
    await listener.stop(grace_seconds)
    await bridge.close()


async def _cross(client: ResilientClient, transport: NatsTransport, clock: Clock) -> None:
    await clock.sleep(_SPREAD_SECONDS)
    try:
        async with clock.timeout_at(clock.monotonic() + _MOVE_SECONDS):
            client.begin_leaving()
            await transport.pause()
            await client.leave_server()
            while not client.is_connected:
                await clock.sleep(_POLL_SECONDS)
            await client.flush()
    except (errors.Error, OSError, TimeoutError) as error:
        _log.warning("nats.move_failed", reason=type(error).__name__)
        return
    await clock.sleep(_SPREAD_SECONDS)
    _log.info("nats.moved")


class SharedConnection(Mapping[type, Any]):
    """What a transport shares, by type: one connected client, made when it is first asked for."""

    def __init__(self, connection: Callable[[], NatsConnection]) -> None:
        self._make = connection
        self._made: NatsConnection | None = None

    @property
    def is_connected(self) -> bool:
        """Whether a server is there just now, or none is needed."""
        return self._made is None or self._made.is_connected

    @property
    def refusal(self) -> str | None:
        """Why the latest try to connect failed, as far as that is certain."""
        return None if self._made is None else self._made.refusal

    async def open(self) -> None:
        """Connect, if a part of the service wants it.

        Raises:
            NatsConnectError: no server took this client.
        """
        if self._made is not None:
            await self._made.open()

    async def close(self) -> None:
        """Send what is buffered and close, within 5 s."""
        if self._made is not None:
            await self._made.close()

    @override
    def __getitem__(self, kind: type) -> ResilientClient:
        if kind is not Client:
            raise KeyError(kind)
        if self._made is None:
            self._made = self._make()
            self._made.leave = self._move
        return self._made.client

    @override
    def __contains__(self, kind: object) -> bool:
        return kind is Client

    @override
    def __iter__(self) -> Iterator[type]:
        return iter((Client,))

    @override
    def __len__(self) -> int:
        return 1

    async def _move(self) -> None:
        """Leave a server that is going to stop; what is lost on the way is asked for again."""
        if self._made is None or not self._made.client.other_servers():
            return
        client = self._made.client
        client.begin_leaving()
        try:
            await client.leave_server()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("nats.move_failed", reason=type(error).__name__)
