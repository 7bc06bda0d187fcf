"""The latest requests of one process, and those that end, as server-sent events.

A bounded number of requests is kept, as short lines. A stream holds nothing but its place among
them. One that is read slowly gets fewer and larger messages, and is told how many it missed.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

from starlette.responses import PlainTextResponse, Response, StreamingResponse
from typing_extensions import override

from adapters.console.reasons import operator_advice
from adapters.telemetry.audit_record import cut
from adapters.telemetry.redaction import redact_text
from domain.model.identity import Caller
from domain.model.workload import Workload
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from domain.model.audit import AuditEvent
    from ports.clock import Clock

MAX_ROWS: Final = 200

MAX_STREAMS: Final = 8
LOOK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 10.0
"""After so long without a request a comment is sent, by which a reader that is gone is noticed."""

LONGEST_SECONDS: Final = 3600.0
"""A browser comes back by itself, at the place where it was."""

_RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One request and its end. Texts that a peer chose are cut, and credentials are left out.

    Attributes:
        number: counts the requests of this process, from 1.
        time: seconds since the epoch.
        key: as sent; "" if the request could not be read.
        entity: the name in the entity's token, or its key; "" before it was verified.
        advice: what an operator can do about the error.
    """

    number: int
    time: float
    request_id: str
    operation: str
    outcome: str
    reason: str
    error: str
    advice: str
    key: str
    entity: str
    application: str
    grant: str
    served_from: str
    milliseconds: float


class News(NamedTuple):
    """What came after a place in the feed.

    Attributes:
        rows: oldest first.
        missed: requests after that place that are no longer kept.
        place: where to go on.
    """

    rows: tuple[Row, ...]
    missed: int
    place: str


class RequestFeed(AuditTrail):
    """Passes every event on to `inner`, and keeps a line about each of the last 200."""

    def __init__(self, inner: AuditTrail) -> None:
        self._inner = inner
        self._rows: deque[Row] = deque(maxlen=MAX_ROWS)
        self._count = 0
        self._run = secrets.token_hex(4)

    @override
    def accepts(self) -> bool:
        return self._inner.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        self._inner.record(event)
        self._count += 1
        self._rows.append(_row(self._count, event))

    def latest(self) -> News:
        """Return all that is kept."""
        rows = tuple(self._rows)
        return News(rows, self._count - len(rows), self._place())

    def after(self, place: str) -> News:
        """Return what came after a place; all that is kept where the place is unknown."""
        run, _, number = place.partition("-")
        if run != self._run or not number.isascii() or not number.isdigit() or len(number) > 18:  # noqa: PLR2004  digits of a 64-bit count
            return self.latest()
        seen = int(number)
        kept = tuple(row for row in self._rows if row.number > seen)
        return News(kept, max(0, self._count - seen - len(kept)), self._place())

    def _place(self) -> str:
        return f"{self._run}-{self._count}"


def _row(number: int, event: AuditEvent) -> Row:
    entity, application = _names(event)
    return Row(
        number=number,
        time=event.time,
        request_id=event.request_id,
        operation=_shown(event.operation),
        outcome=event.outcome.value,
        reason=event.reason,
        error=event.error or "",
        advice=_shown(operator_advice(event.reason, event.error, event.advice)),
        key=_shown(event.key),
        entity=_shown(entity),
        application=_shown(application),
        grant=_shown(event.grant),
        served_from=_shown(event.served_from),
        milliseconds=round(event.duration * 1000, 1),
    )


def _names(event: AuditEvent) -> tuple[str, str | None]:
    """Return the entity or workload, and the application if one was named."""
    match event.caller:
        case Caller(entity, _, application):
            return entity.name or entity.subject, application
        case Workload(environment, namespace, name):
            return f"{namespace}/{name} in {environment}", None
        case None:
            return "", None


def _shown(text: str | None) -> str:
    return redact_text(cut(text)) if text else ""


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
