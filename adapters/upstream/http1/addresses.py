"""The addresses of one host name: looked up once for all that wait, and kept for a while."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

KEPT_SECONDS: Final = 10.0


@final
class Addresses:
    """Looks one host name up.

    A lookup holds one of the few threads that all lookups of the process share, perhaps for long:
    never more than one here.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: list[AddrInfoType] = []
        self._known_until = 0.0
        self._lookup: asyncio.Task[list[AddrInfoType]] | None = None

    async def current(self) -> list[AddrInfoType]:
        """Return all addresses, of both families as the system orders them.

        Raises:
            OSError: the name cannot be looked up, or `close` was called meanwhile.
        """
        if self._known and asyncio.get_running_loop().time() < self._known_until:
            return self._known
        lookup = self._lookup
        if lookup is None or lookup.done():
            lookup = asyncio.create_task(self._look_up(), name="upstream-lookup")
            lookup.add_done_callback(_seen)
            self._lookup = lookup
        # A request that is cancelled leaves the lookup to those that wait for it as well.
        await asyncio.wait({lookup})
        if lookup.cancelled():
            raise ConnectionAbortedError
        return lookup.result()

    def forget(self) -> None:
        """Look the name up for the next connection: it may lead elsewhere by now."""
        self._known_until = 0.0

    def close(self) -> None:
        """End a lookup that is under way."""
        if self._lookup is not None:
            self._lookup.cancel()

    async def _look_up(self) -> list[AddrInfoType]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._known = list(found)
        self._known_until = loop.time() + KEPT_SECONDS
        return self._known


def _seen(lookup: asyncio.Task[list[AddrInfoType]]) -> None:
    """Take note of how it ended: the requests that asked may all have given up by then."""
    if not lookup.cancelled():
        lookup.exception()
