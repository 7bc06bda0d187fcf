"""uvicorn inside the service's own event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

import structlog
import uvicorn
from typing_extensions import override

from adapters.admin_http.address import AdminAddress, AdminHttpError
from adapters.admin_http.connection import BoundedConnection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Container, Iterator

    from starlette.types import ASGIApp

    from ports.clock import Clock

MAX_HEAD_BYTES: Final = 8192
CLOSE_SECONDS: Final = 2
_BACKLOG: Final = 64
_ACCEPTED_AT_ONCE: Final = 1
"""Out of file descriptors, asyncio begins that many tries for each one that fails."""

_KEEP_ALIVE_SECONDS: Final = 30

_log = structlog.get_logger()


@final
class AdminHttp:
    """Serves `app` from `start` to `aclose`. It listens on no other address than the one given.

    Args:
        streams: paths whose answers have no end of their own; `app` ends them before `aclose`.
        tls: certificates; None for plain HTTP. The client's, if it must show one, is
            `peer_certificate` in the state of each request.
        setting: the variable that the address comes from.
    """

    def __init__(
        self,
        address: AdminAddress,
        app: ASGIApp,
        clock: Clock,
        streams: Container[str] = frozenset(),
        *,
        tls: ssl.SSLContext | None = None,
        setting: str = "ADMIN_ADDR",
    ) -> None:
        self._address = address
        self._setting = setting
        self._tls = tls
        self._app = app
        self._clock = clock
        self._streams = streams
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> AdminAddress:
        """Listen, and return where: on return requests are answered.

        Raises:
            AdminHttpError: the address is taken, not of this machine, or not allowed.
        """
        listener = await _bind(self._address, self._setting)
        host, port = listener.getsockname()[:2]
        server = self._server = _Server(_config(self._app, self._streams, self._tls))
        serving = self._serving = asyncio.create_task(
            server.serve(sockets=[listener]), name="admin-http"
        )
        serving.add_done_callback(_ended)
        listening = asyncio.create_task(server.listening.wait())
        try:
            await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            listener.close()
            await self.aclose()
            raise
        finally:
            listening.cancel()
        if serving.done():
            listener.close()
            raise AdminHttpError(
                f"{self._setting} {self._address}: the HTTP server did not start; see the log, and "
                "report it.",
                may_pass=True,
            )
        bound = AdminAddress(host, port)
        _log.info("admin_http.listening", address=str(bound))
        return bound

    async def aclose(self) -> None:
        """Answer what is under way, within two seconds; calling it again does nothing."""
        server, serving = self._server, self._serving
        self._server = self._serving = None
        if server is None or serving is None:
            return
        server.should_exit = True
        deadline = self._clock.monotonic() + CLOSE_SECONDS + 1
        with suppress(TimeoutError):
            async with self._clock.timeout_at(deadline):
                await asyncio.wait({serving})
        serving.cancel()
        await asyncio.wait({serving})


class _Server(uvicorn.Server):
    """Leaves signals to the service, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio took the number that it accepts at once for this one too.
            listener.listen(_BACKLOG)
        self.listening.set()


def _config(app: ASGIApp, streams: Container[str], tls: ssl.SSLContext | None) -> uvicorn.Config:
    connection: Any = partial(BoundedConnection, streams=streams)
    config = uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        workers=1,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_ACCEPTED_AT_ONCE,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    config.load()
    # What it would make of file names is no more than the defaults of the library.
    config.ssl = tls
    return config


async def _bind(address: AdminAddress, setting: str) -> socket.socket:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        found = []
    if not found:
        raise AdminHttpError(
            f"{setting} {address}: that host is unknown here; name an IP address of this machine."
        )
    family, kind, protocol, _, where = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.settimeout(0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        # Linux lets two sockets bind as long as neither listens yet.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        number = error.errno or 0
    else:
        return listener
    reason = _BIND_FAILURES.get(number, "it cannot be listened on; name another.")
    raise AdminHttpError(f"{setting} {address}: {reason}", may_pass=number == errno.EADDRINUSE)


_BIND_FAILURES: Final = {
    errno.EADDRINUSE: "another process listens there; stop it, or choose another port.",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address; choose one that has.",
    errno.EACCES: "this user may not listen there; choose a port above 1023.",
}


def _ended(serving: asyncio.Task[None]) -> None:
    # Asking for the exception also keeps asyncio from reporting it with its text.
    if not serving.cancelled() and (crash := serving.exception()) is not None:
        _log.error("admin_http.crashed", error=type(crash).__name__)
