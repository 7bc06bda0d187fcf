"""nats-py's TCP transport, made to close in bounded time, and to read all there is."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from nats.aio.transport import TcpTransport
from typing_extensions import override

from adapters.system.cancelling import honour_cancellation

if TYPE_CHECKING:
    import ssl
    from urllib.parse import ParseResult

_CLOSE_SECONDS = 1.0

_NEXT_ADDRESS_SECONDS = 0.1
"""Shorter than RFC 8305's 0.25 s: of a name's eight addresses, seven may be dead."""

_READ_BYTES = 1024 * 1024
"""Taken from the socket at once, if so much is there: under a flood each read costs a turn of the
event loop, and on a busy machine the processor. In nats-py's 32 KiB a dozen requests have room, and
the one cut in two at the end is copied together with all of them."""


_REFUSAL = re.compile(rb"-ERR '([ -~]{1,200})'")


def refusal_in(transport: object) -> str | None:
    """Return why a server hung up, if that is what it sent last and was not read.

    A server that is full greets, refuses and hangs up at once: by then a client writes its login.
    """
    if not isinstance(transport, SteadyTcpTransport):
        return None
    # A stream that broke no longer gives out what it holds.
    said = _REFUSAL.search(bytes(getattr(transport._io_reader, "_buffer", b"")))  # noqa: SLF001
    return None if said is None else said[1].decode("ascii")


class SteadyTcpTransport(TcpTransport):
    """Never leaves a connect, a reconnect or a close waiting for a peer."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nats-py leaves it bare
        self._untouched = True

    @override
    def __bool__(self) -> bool:
        # nats-py puts a transport of its own in the place of one that is false.
        return self._untouched or self._io_writer is not None

    @override
    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Try every address of the name within the limit, each a moment after the one before."""
        self._untouched = False
        async with asyncio.timeout(connect_timeout):
            reader, writer = await asyncio.open_connection(
                uri.hostname,
                uri.port,
                limit=_READ_BYTES,
                happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
            )
        # What asyncio's socket transports give to recv(); a TLS one, which has none, takes no harm.
        writer.transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        # As nats-py keeps them, for the upgrade to TLS after the greeting.
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = writer

    @override
    async def connect_tls(
        self,
        uri: str | ParseResult,
        ssl_context: ssl.SSLContext,
        buffer_size: int,
        connect_timeout: int,
    ) -> None:
        try:
            await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        except BaseException:
            # The handshake took the plain stream's protocol away: its end is never announced.
            self._abort()
            raise

    @override
    async def read(self, buffer_size: int) -> Any:
        return await super().read(max(buffer_size, _READ_BYTES))

    @override
    async def wait_closed(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await super().wait_closed()  # type: ignore[no-untyped-call]  # nats-py leaves it bare
        except TimeoutError:
            self._abort()
        except asyncio.CancelledError:
            # Streams share one future among all who wait: it stays cancelled after the first one.
            honour_cancellation()

    def _abort(self) -> None:
        if self._io_writer is not None:
            self._io_writer.transport.abort()
        self._io_writer = self._io_reader = None
