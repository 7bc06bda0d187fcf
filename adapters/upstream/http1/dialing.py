"""New connections to one server: of all its addresses the first that answers, TLS, and proxies."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

from adapters.upstream.engine import Failure, TransportError, broken_by
from adapters.upstream.http1.connection import HttpConnection
from adapters.upstream.http1.request_bytes import proxy_authorization
from adapters.upstream.http1.responses import WholeResponse
from adapters.upstream.server_address import host_and_port

if TYPE_CHECKING:
    import ssl

    from aiohappyeyeballs import AddrInfoType

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.message import UpstreamResponse
    from adapters.upstream.proxy import Proxy

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


SILENCE_SECONDS: Final = 30
"""A peer whose machine is gone is noticed after about this: TCP asks it in such silence."""

_PROBES: Final = 3
_NEXT_ADDRESS_SECONDS: Final = 0.25
_MAX_PROXY_BODY: Final = 64 * 1024
_SUCCESS: Final = range(200, 300)


@final
class Dialer:
    """Opens connections to the server of a configuration.

    Args:
        config: names the server.
        tls: for HTTPS, of the server and of a proxy.
        proxy: stands on the way; None for none.
    """

    def __init__(self, config: UpstreamConfig, tls: ssl.SSLContext, proxy: Proxy | None) -> None:
        self._config = config
        self._tls = tls
        self._proxy = proxy
        self._server_is_tls = urlsplit(config.base_url).scheme == "https"
        self._server = host_and_port(config.base_url)
        near = config.base_url if proxy is None else proxy.url
        self._near = host_and_port(near)
        self._near_is_tls = urlsplit(near).scheme == "https"
        self._addresses = Addresses(*self._near)

    @property
    def server_name(self) -> str:
        """The name that the server's certificate must have."""
        return self._config.tls_server_name or self._server[0]

    def close(self) -> None:
        """End a lookup that is under way."""
        self._addresses.close()

    async def open(self) -> HttpConnection:
        """Return a new connection; the caller bounds how long the lookup of its name takes.

        Raises:
            TransportError: there is none; no request was sent.
        """
        failure: TransportError
        try:
            addresses = await self._addresses.current()
            async with asyncio.timeout(self._config.connect_timeout_seconds):
                return await self._connect(addresses)
        except TransportError as error:
            failure = error
        except (OSError, UnicodeError) as error:
            # A UnicodeError: the host's name is none that can be looked up.
            failure = TransportError(broken_by(error), type(error).__name__, never_sent=True)
        self._addresses.forget()
        # Raised out here, so that no error has another one as its context.
        raise failure

    async def _connect(self, addresses: list[AddrInfoType]) -> HttpConnection:
        near = await start_connection(
            addresses,
            happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
            interleave=1,
            socket_factory=_socket,
        )
        name = self._near[0] if self._proxy is not None else self.server_name
        _, connection = await asyncio.get_running_loop().create_connection(
            HttpConnection,
            sock=near,
            ssl=self._tls if self._near_is_tls else None,
            server_hostname=name if self._near_is_tls else None,
        )
        if self._proxy is not None and self._server_is_tls:
            return await self._tunnel(connection, self._proxy)
        return connection

    async def _tunnel(self, outer: HttpConnection, proxy: Proxy) -> HttpConnection:
        """Have a proxy pass everything on to the server, and begin TLS with that."""
        try:
            await self._ask_for_tunnel(outer, proxy)
            inner = HttpConnection()
            # What comes with the end of the handshake comes before `connection_made`.
            inner.transport = outer.transport
            transport = await asyncio.get_running_loop().start_tls(
                outer.transport, inner, self._tls, server_hostname=self.server_name
            )
        except BaseException:
            outer.abort()
            raise
        if transport is None:
            raise ConnectionResetError
        inner.connection_made(transport)
        return inner

    async def _ask_for_tunnel(self, outer: HttpConnection, proxy: Proxy) -> None:
        host, port = self._server
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        login = proxy_authorization(proxy.url)
        head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"
        head += f"Proxy-Authorization: {login}\r\n\r\n" if login else "\r\n"
        outcome: asyncio.Future[UpstreamResponse] = asyncio.get_running_loop().create_future()
        patience = self._config.connect_timeout_seconds
        reader = WholeResponse("CONNECT", _MAX_PROXY_BODY, outcome)
        outer.start(head.encode(), reader, patience, patience)
        try:
            response = await outcome
        except TransportError as error:
            failure = TransportError(error.failure, error.kind, never_sent=True)
        else:
            if response.status in _SUCCESS:
                return
            failure = TransportError(Failure.UNREACHABLE, "ProxyRefused", never_sent=True)
        finally:
            outer.end()
        raise failure


def _socket(address: AddrInfoType) -> socket.socket:
    """Make a socket that asks its peer in silence whether it is still there."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)  # noqa: FBT003  its own signature
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", SILENCE_SECONDS // 2),
        ("TCP_KEEPINTVL", SILENCE_SECONDS // 2 // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
