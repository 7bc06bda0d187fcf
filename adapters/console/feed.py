"""The latest requests of one process: kept as short lines, a bounded number of them."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from typing_extensions import override

from adapters.console.reasons import operator_advice
from adapters.telemetry.audit_record import cut
from adapters.telemetry.redaction import redact_text
from domain.model.identity import Caller
from domain.model.workload import Workload
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent

MAX_ROWS: Final = 200


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
