"""The connections to one server: bounded, used again while they are fresh."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

from adapters.upstream.engine import IDLE_CONNECTION_SECONDS, Failure, TransportError

if TYPE_CHECKING:
    from adapters.upstream.http1.connection import HttpConnection
    from adapters.upstream.http1.dialing import Dialer

_SWEEP_SECONDS: Final = IDLE_CONNECTION_SECONDS / 2


@final
class ConnectionPool:
    """Lends connections, the one that was used last first.

    Args:
        dialer: opens new ones.
        limit: open connections at most; requests beyond wait.
    """

    def __init__(self, dialer: Dialer, limit: int) -> None:
        self._dialer = dialer
        self._places = asyncio.Semaphore(limit)
        self._idle: list[HttpConnection] = []
        self._lent: set[HttpConnection] = set()
        self._generation = 0
        self._is_closed = False
        self._sweep: asyncio.TimerHandle | None = None

    async def take(self) -> HttpConnection:
        """Lend a connection; each goes back by `give_back`.

        Raises:
            TransportError: none can be opened.
        """
        await self._places.acquire()
        try:
            connection = self._fresh() or await self._open()
        except BaseException:
            self._places.release()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: HttpConnection, *, usable: bool) -> None:
        """Keep a connection for the next request, or close it where that cannot be."""
        self._lent.discard(connection)
        if usable and connection.is_idle and connection.generation == self._generation:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
            if self._sweep is None:
                self._sweep_later()
        else:
            connection.abort()
        self._places.release()

    def drop_idle(self) -> None:
        """Use no connection again that is open now; those that are lent are closed after use."""
        self._generation += 1
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    async def aclose(self) -> None:
        """Close all connections; requests that wait for one fail as well."""
        self._is_closed = True
        self.drop_idle()
        for connection in self._lent:
            connection.abort()
        if self._sweep is not None:
            self._sweep.cancel()
        self._dialer.close()
        # The event loop closes sockets in its next round.
        await asyncio.sleep(0)

    def _fresh(self) -> HttpConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if _is_fresh(connection):
                return connection
            connection.abort()
        return None

    async def _open(self) -> HttpConnection:
        if not self._is_closed:
            generation = self._generation
            connection = await self._dialer.open()
            connection.generation = generation
            if not self._is_closed:
                return connection
            connection.abort()
        raise TransportError(Failure.UNREACHABLE, "Closed", never_sent=True)

    def _sweep_later(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._close_old)

    def _close_old(self) -> None:
        """Close what has been idle for too long, and forget what the server has closed."""
        kept = []
        for connection in self._idle:
            if _is_fresh(connection):
                kept.append(connection)
            else:
                connection.abort()
        self._idle = kept
        self._sweep = None
        if kept:
            self._sweep_later()


def _is_fresh(connection: HttpConnection) -> bool:
    oldest = asyncio.get_running_loop().time() - IDLE_CONNECTION_SECONDS
    return connection.is_open and connection.idle_since > oldest
