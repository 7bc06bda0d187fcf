"""Which servers a client tries, in which order, and for how long each.

nats-py keeps every server that was ever named, tries them in random order, and gives each the whole
limit for a connect: some dead ones keep a client away for longer than hosts wait.
"""

from __future__ import annotations

import asyncio
from random import shuffle
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlparse

from nats.aio.client import Srv
from typing_extensions import override

from adapters.nats.raw_messages import RawMessageClient

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_LIMIT_SECONDS: Final = 0.8
"""For each step of a connect where there are other servers to try; doubled with each round in which
none was there, up to the configured limit, so that slow networks are reached as well."""


class AllServersFailedError(Exception):
    """The first connect has tried every server."""


class ServerPoolClient(RawMessageClient):
    """Tries configured servers before gossiped ones, and forgets those no longer named."""

    def __init__(self) -> None:
        super().__init__()
        self._untried: list[Srv] | None = None
        self._rounds = 0
        self._first_connect = False
        self._step_limit = 0.0
        self._left: Srv | None = None
        self._is_repeat = False

    def other_servers(self) -> list[str]:
        """Return where else a client may connect, configured servers first."""
        current = self._current_server
        return [server.uri.geturl() for server in self._in_order() if server is not current]

    def begin_leaving(self) -> None:
        """Have this server be the last that the next reconnect tries."""
        self._left = self._current_server

    async def leave_server(self) -> None:
        """Connect elsewhere, once what is buffered is sent."""
        await self.flush()
        await self.force_reconnect()

    def begin_pool(self, step_limit: float) -> None:
        """Begin with an empty pool, as for a first connect."""
        self._server_pool.clear()
        self._untried, self._rounds = None, 0
        self._step_limit = step_limit

    def end_round(self) -> None:
        """Say that a server was there: the next reconnect begins with short limits."""
        self._untried, self._rounds = None, 0
        self._left = None

    @override
    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        urls = info.pop("connect_urls", None)
        if urls:
            self._take_gossip(urls)
        await super()._process_info(info, initial_connection)

    def _take_gossip(self, urls: Sequence[str]) -> None:
        current = self._current_server
        if current is None:
            return
        scheme = "tls" if current.uri.scheme == "tls" else "nats"
        named = {uri.netloc: uri for uri in (urlparse(f"{scheme}://{url}") for url in urls)}
        kept = [
            server
            for server in self._server_pool
            if not server.discovered or server is current or server.uri.netloc in named
        ]
        known = {server.uri.netloc.rpartition("@")[2] for server in kept}
        for netloc, uri in named.items():
            if netloc in known:
                continue
            server = Srv(uri)
            server.discovered = True
            # The certificate's name is that of the configured server, however many gossiped ones
            # have passed it on.
            if self._host_is_ip(uri.hostname):
                server.tls_name = current.tls_name or current.uri.hostname
            kept.append(server)
        self._server_pool[:] = kept

    def _in_order(self) -> list[Srv]:
        pool = list(self._server_pool)
        shuffle(pool)
        pool.sort(key=lambda server: (server is self._left, server.discovered))
        return pool

    @override
    async def _select_next_server(self) -> None:
        wait = self.options["reconnect_time_wait"]
        while True:
            if not self._untried:
                if self._untried is not None:
                    self._rounds += 1
                self._untried = self._in_order()
                if self._first_connect:
                    self._untried = list(self._server_pool)
            if self._first_connect and self._rounds >= self._first_rounds():
                raise AllServersFailedError
            server = self._due_again(wait) or self._untried.pop(0)
            if not self._first_connect and server.last_attempt is not None:
                await asyncio.sleep(
                    max(0.0, server.last_attempt + wait - asyncio.get_running_loop().time())
                )
            self.options["connect_timeout"] = self._limit()
            # For nats-py, which reads the limits of its handshake from there.
            self._current_server = server
            try:
                await self._connect_to_server(server)
            except Exception as error:  # noqa: BLE001  every kind only means: try the next one
                server.last_attempt = asyncio.get_running_loop().time()
                server.reconnects += 1
                self._err = error
                await self._error_cb(error)
            else:
                return

    def _due_again(self, wait: float) -> Srv | None:
        """Return a configured server to try before the next gossiped one, however many are dead."""
        self._is_repeat = not self._is_repeat and bool(self._untried) and not self._first_connect
        if not self._is_repeat or not self._untried or not self._untried[0].discovered:
            return None
        latest = asyncio.get_running_loop().time() - wait
        due = [
            (server.last_attempt or 0.0, index)
            for index, server in enumerate(self._server_pool)
            if not server.discovered
            and server is not self._left
            and server not in self._untried
            and (server.last_attempt or 0.0) <= latest
        ]
        return self._server_pool[min(due)[1]] if due else None

    def _first_rounds(self) -> int:
        """Return how many rounds a first connect has: with short limits, then with whole ones."""
        return 2 if self._has_alternatives() and self._step_limit > FIRST_LIMIT_SECONDS else 1

    def _has_alternatives(self) -> bool:
        return len(self._server_pool) > 1

    def _limit(self) -> float:
        if not self._has_alternatives() or (self._first_connect and self._rounds):
            return self._step_limit
        return min(self._step_limit, FIRST_LIMIT_SECONDS * 2.0 ** min(self._rounds, 8))
