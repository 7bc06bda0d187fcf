"""Requests as they end, as server-sent events: a bounded number of streams, none of which queues.

A stream holds nothing but its place in the feed. One that is read slowly gets fewer and larger
messages, and is told how many requests it missed.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, final

from starlette.responses import PlainTextResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from adapters.console.feed import News, RequestFeed
    from ports.clock import Clock

MAX_STREAMS: Final = 8
LOOK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 10.0
"""After so long without a request a comment is sent, by which a reader that is gone is noticed."""

LONGEST_SECONDS: Final = 3600.0
"""A browser comes back by itself, at the place where it was."""

_RETRY_SECONDS: Final = 10


@final
class EventStreams:
    """Every stream that is open.

    Args:
        feed: whose requests are shown.
        counts: how many requests ended with each outcome and reason, since the start.
    """

    def __init__(
        self, feed: RequestFeed, counts: Callable[[], Mapping[str, float]], clock: Clock
    ) -> None:
        self._feed = feed
        self._counts = counts
        self._clock = clock
        self._open = 0
        self._is_closed = False

    def close(self) -> None:
        """End every stream within half a second, and open none any more."""
        self._is_closed = True

    async def respond(self, request: Request) -> Response:
        """Open a stream; it goes on after `Last-Event-ID`, or the query's `after`."""
        if self._open >= MAX_STREAMS or self._is_closed:
            return PlainTextResponse(
                f"{MAX_STREAMS} pages show requests live, which is all at a time; close one.\n",
                status_code=503,
                headers={"retry-after": str(_RETRY_SECONDS)},
            )
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        place = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(self._stream(place), media_type="text/event-stream")

    async def _stream(self, place: str) -> AsyncIterator[bytes]:
        # Counted where it runs: a response whose client is gone at once never begins.
        if self._open >= MAX_STREAMS:
            return
        self._open += 1
        try:
            began = said = self._clock.monotonic()
            yield f"retry: {_RETRY_SECONDS * 1000}\n\n".encode()
            while not self._is_closed and self._clock.monotonic() - began < LONGEST_SECONDS:
                news = self._feed.after(place)
                if news.place != place:
                    place, said = news.place, self._clock.monotonic()
                    yield self._message(news)
                elif self._clock.monotonic() - said >= SILENT_SECONDS:
                    said = self._clock.monotonic()
                    yield b": nothing happened\n\n"
                await self._clock.sleep(LOOK_SECONDS)
        finally:
            self._open -= 1

    def _message(self, news: News) -> bytes:
        data = {
            "rows": [asdict(row) for row in news.rows],
            "missed": news.missed,
            "counts": self._counts(),
        }
        # JSON has no line break of its own, and ASCII none that a reader might take for one.
        return f"id: {news.place}\nevent: requests\ndata: {json.dumps(data)}\n\n".encode("ascii")
