"""uvicorn inside the service's own event loop, on a port that worker processes share."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from typing_extensions import override

from wasmcloud_secrets.extension import TransportFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK: Final = "127.0.0.1"


class HttpServer:
    """Serves an ASGI application from `start` to `stop`."""

    def __init__(self, port: int, app: Any) -> None:
        self._port = port
        self._app = app
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; on return requests are taken.

        Raises:
            TransportFailedError: the port cannot be listened on.
        """
        listener = _listener(self._port)
        server = self._server = _Server(self._app)
        self._serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening.wait()

    def refuse_further(self) -> None:
        """Close the port; requests that were taken go on."""
        if self._server is not None:
            self._server.should_exit = True

    async def ended(self) -> None:
        """Wait until every answer is sent and every connection closed."""
        if self._serving is not None:
            await self._serving


class _Server(uvicorn.Server):
    """Leaves signals to the service, and says when it listens."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        self.listening = asyncio.Event()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # The kernel spreads connections over all processes that listen with this option.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
    except OSError:
        listener.close()
    else:
        return listener
    raise TransportFailedError(
        f"HTTP_TRANSPORT_PORT {port} cannot be listened on; stop what listens there, or choose "
        "another port."
    )
