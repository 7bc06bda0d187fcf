"""Responses, read off a connection piece by piece and within bounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError, broken_by
from adapters.upstream.message import UpstreamResponse

if TYPE_CHECKING:
    import asyncio

MAX_HEAD_BYTES: Final = 64 * 1024

_WITHOUT_BODY: Final = frozenset({"HEAD", "CONNECT"})
_INFORMATIONAL: Final = range(100, 200)
_REFUSALS: Final = 400
_MEASURES: Final = frozenset({"content-length", "transfer-encoding"})
"""A body without either ends with the connection."""


class ResponseReader(ABC):
    """Takes what a connection receives; the parser calls the `on_...` methods.

    Args:
        method: of the request: the response to a HEAD has no body.
        max_bytes: of the whole response, chunk heads and trailers among them.

    Attributes:
        status: the HTTP status; 0 before it is known.
        headers: names in lower case; of several of one name, the last.
        in_body: the head has come.
        finished: the response has come whole, or never will.
        keep_alive: another request may be sent on the connection.
    """

    def __init__(self, method: str, max_bytes: float) -> None:
        self._parser = HttpResponseParser(self)
        self._has_body = method not in _WITHOUT_BODY
        self._max_bytes = max_bytes
        self._received = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.in_body = False
        self.finished = False
        self.keep_alive = False

    @abstractmethod
    def on_head(self) -> None:
        """Called once, when the head has come."""

    @abstractmethod
    def on_body(self, piece: bytes) -> None:
        """Called for each piece of the body."""

    @abstractmethod
    def on_end(self) -> None:
        """Called when the response has come whole."""

    @abstractmethod
    def on_failure(self, error: TransportError) -> None:
        """Called instead when it never will."""

    def feed(self, data: bytes) -> None:
        """Take what has arrived; once the response has ended, nothing more."""
        if self.finished:
            self.keep_alive = False
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.fail(Failure.UNREACHABLE, "MalformedResponse")
        if not self.in_body and self._received > MAX_HEAD_BYTES:
            self.fail(Failure.UNREADABLE, "HeadTooLarge")
        elif self._received > self._max_bytes:
            self.fail(Failure.TOO_LARGE, "ResponseTooLarge")
        if self.finished:
            # The parser refers to the reader: else only the garbage collector would free both, and
            # with them what the store answered.
            del self._parser

    def lost(self, error: Exception | None) -> None:
        """Take note that nothing more will arrive; some bodies end with that.

        A server that refuses a request before it has read it all resets the connection: of such a
        response the status counts.
        """
        is_whole = error is None or self.status >= _REFUSALS
        if self.in_body and is_whole and self.headers.keys().isdisjoint(_MEASURES):
            self._finish()
        elif error is None:
            self.fail(Failure.UNREACHABLE, "ServerDisconnected")
        else:
            self.fail(broken_by(error), type(error).__name__)

    def fail(self, failure: Failure, kind: str) -> None:
        """Give up, unless the response has come whole."""
        if not self.finished:
            self.finished = True
            self.keep_alive = False
            self.on_failure(TransportError(failure, kind))

    def on_message_begin(self) -> None:
        """Drop the connection where something follows the response: it answers no request."""
        if self.finished:
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are left out."""
        if not self.in_body:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Go on to the body, unless only an interim response has come."""
        status = self._parser.get_status_code()
        if self.finished or status in _INFORMATIONAL:
            self.headers.clear()
            return
        self.status = status
        self.in_body = True
        self.on_head()
        if not self._has_body:
            self._finish()

    def on_message_complete(self) -> None:
        """End the response, unless it was an interim one."""
        if self.in_body and not self.finished:
            self.keep_alive = self._parser.should_keep_alive()
            self._finish()

    def _finish(self) -> None:
        if not self.finished:
            self.finished = True
            self.on_end()


_CHUNKED: Final = 2
"""The bytes of a body in small chunks, for each byte in it. A large one has larger chunks."""

_IDENTITY: Final = frozenset({"", "identity"})


@final
class WholeResponse(ResponseReader):
    """Ends a future with the response.

    Args:
        method: of the request.
        max_body_bytes: a larger body is refused.
        outcome: gets the response, or a TransportError.
    """

    def __init__(
        self, method: str, max_body_bytes: int, outcome: asyncio.Future[UpstreamResponse]
    ) -> None:
        super().__init__(method, MAX_HEAD_BYTES + _CHUNKED * max_body_bytes)
        self._max_body_bytes = max_body_bytes
        self._outcome = outcome
        self._size = 0
        self._body: list[bytes] = []

    @override
    def on_head(self) -> None:
        if is_packed(self.headers):
            self.fail(Failure.UNREADABLE, "Packed")
        length = self.headers.get("content-length", "0")
        if int(length) > self._max_body_bytes:
            self._too_large()

    @override
    def on_body(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_body_bytes:
            self._too_large()
        else:
            self._body.append(piece)

    @override
    def on_end(self) -> None:
        if not self._outcome.done():
            response = UpstreamResponse(self.status, self.headers, b"".join(self._body))
            self._outcome.set_result(response)

    @override
    def on_failure(self, error: TransportError) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(error)

    def _too_large(self) -> None:
        is_json = UpstreamResponse(self.status, self.headers).is_json
        self.fail(Failure.TOO_LARGE if is_json else Failure.UNREADABLE, "ResponseTooLarge")


def is_packed(headers: dict[str, str]) -> bool:
    """Whether a body is compressed, though none was asked for."""
    return headers.get("content-encoding", "").strip().lower() not in _IDENTITY
