"""A response whose body is read whole, within its bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from adapters.upstream.engine import Failure
from adapters.upstream.http1.response_reader import MAX_HEAD_BYTES, ResponseReader
from adapters.upstream.message import UpstreamResponse

if TYPE_CHECKING:
    import asyncio

    from adapters.upstream.engine import TransportError

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
