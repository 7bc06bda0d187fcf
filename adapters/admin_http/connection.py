"""One HTTP connection, which neither hangs nor keeps others from being answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Container

MAX_CONNECTIONS: Final = 64
REQUEST_SECONDS: Final = 20.0
"""From a connection's first moment, or a further request's first byte, to the end of the answer.
Above what the webhook takes at most."""


class BoundedConnection(H11Protocol):
    """Ends when a request or the reading of its answer takes too long.

    uvicorn bounds neither, and accepts any number. Here a new connection takes the place of another
    once there are too many: of one that asks nothing, and of these the one that has done so for
    longest. So probes are answered whatever else is open. `streams`: paths whose answers have no
    end: such an answer goes on as long as all that was sent has been read every time that its time
    is over.
    """

    def __init__(
        self, *arguments: Any, streams: Container[str] = frozenset(), **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._streams = streams
        self._since = self.loop.time()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def asks_nothing(self) -> bool:
        """Whether no request is being answered, and every answer has been read."""
        cycle: Any = self.cycle
        answered = cycle is None or cycle.response_complete
        return answered and not self.transport.get_write_buffer_size()

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if (tls := transport.get_extra_info("ssl_object")) is not None:
            self.app_state = {"peer_certificate": tls.getpeercert()}
        self._begin()
        if len(self.connections) > MAX_CONNECTIONS:
            others = [
                other
                for other in self.connections
                if isinstance(other, BoundedConnection) and other is not self
            ]
            min(others, key=lambda other: (not other.asks_nothing, other._since)).end()  # noqa: SLF001  of its own kind

    @override
    def data_received(self, data: bytes) -> None:
        self._begin()
        super().data_received(data)

    @override
    def on_response_complete(self) -> None:
        self._stop()
        self._since = self.loop.time()
        super().on_response_complete()
        if not self.asks_nothing:
            # The next request was there already, or this answer has yet to be read.
            self._alarm = self.loop.call_later(REQUEST_SECONDS, self._end_unless_read)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def end(self) -> None:
        """End it at once, whatever it is at."""
        self.connections.discard(self)
        self.transport.abort()

    def _begin(self) -> None:
        if self._alarm is None:
            self._alarm = self.loop.call_later(REQUEST_SECONDS, self._end_unless_stream)

    def _end_unless_stream(self) -> None:
        self._alarm = None
        if self._is_streaming and not self.transport.get_write_buffer_size():
            self._begin()
        else:
            self.end()

    @property
    def _is_streaming(self) -> bool:
        cycle: Any = self.cycle
        return (
            cycle is not None
            and cycle.response_started
            and not cycle.response_complete
            and cycle.scope["path"] in self._streams
        )

    def _end_unless_read(self) -> None:
        self._alarm = None
        if not self.asks_nothing:
            self.end()
        elif self.timeout_keep_alive_task is None:
            # Something of the next request has come.
            self._begin()

    def _stop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
