"""The audit trail port, decorated: every request is counted by the event it ends with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from typing_extensions import override

from adapters.metrics import catalogue
from adapters.metrics.catalogue import (
    ERRORS,
    NONE,
    OPERATIONS,
    OTHER,
    OUTCOMES,
    SOURCES,
    WATCHED_REASONS,
)
from domain.model.audit import Outcome, ServerKey
from domain.model.transport import Operation
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

    from adapters.metrics.registry import Metrics
    from domain.model.audit import AuditEvent

MAX_REASONS: Final = 128
"""Reasons are constants of the code; should one ever be made up, metrics stay bounded."""

_REASON = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)

_Key = tuple[str, Outcome, "str | None", str, "str | None"]


class _Meters(NamedTuple):
    """What one kind of event moves."""

    requests: Counter
    reasons: Counter
    duration: Histogram


class MeteredAuditTrail(AuditTrail):
    """Passes everything on to `inner`, and counts and times what it passes on."""

    def __init__(self, inner: AuditTrail, metrics: Metrics) -> None:
        self._inner = inner
        self._requests = metrics.counter(catalogue.REQUESTS)
        self._reasons = metrics.counter(catalogue.REASONS)
        self._duration = metrics.histogram(catalogue.DURATION)
        opened = metrics.counter(catalogue.OPENED)
        self._opened = {key: opened.labels(key) for key in ServerKey}
        self._known: dict[_Key, _Meters] = {}
        self._known_reasons: set[str] = set()
        self._begin_at_zero()

    @override
    def accepts(self) -> bool:
        return self._inner.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        self._inner.record(event)
        # One look-up an event: finding each meter by its labels takes several times as long.
        key = event.operation, event.outcome, event.error, event.reason, event.served_from
        requests, reasons, duration = self._known.get(key) or self._find(key)
        requests.inc()
        reasons.inc()
        duration.observe(event.duration)
        if event.server_key is not None:
            self._opened[event.server_key].inc()

    def _begin_at_zero(self) -> None:
        # A series that begins with its first failure has neither a rate nor an increase for it.
        for operation in Operation:
            self._requests.labels(operation, Outcome.ANSWERED, NONE)
            self._duration.labels(operation, NONE)
        for error in ERRORS[1:]:
            self._requests.labels(Operation.GET, Outcome.REFUSED, error)
        for reason in WATCHED_REASONS:
            self._reasons.labels(Outcome.REFUSED, self._reason(reason))

    def _find(self, key: _Key) -> _Meters:
        operation, outcome, error, reason, source = key
        labels = (
            _among(OPERATIONS, operation),
            _among(OUTCOMES, outcome),
            _among(ERRORS, error or NONE, "Other"),
            self._reason(reason),
            _among(SOURCES, source or NONE),
        )
        meters = _Meters(
            self._requests.labels(*labels[:3]),
            self._reasons.labels(labels[1], labels[3]),
            self._duration.labels(labels[0], labels[4]),
        )
        if labels == (operation, outcome, error or NONE, reason, source or NONE):
            # Only what every label knows is remembered, so that no peer can make this grow.
            self._known[key] = meters
        return meters

    def _reason(self, reason: str) -> str:
        if reason not in self._known_reasons:
            if len(self._known_reasons) >= MAX_REASONS or not _REASON.fullmatch(reason):
                return OTHER
            self._known_reasons.add(reason)
        return reason


def _among(values: tuple[str, ...], value: str, otherwise: str = OTHER) -> str:
    return value if value in values else otherwise


def metered_trail(inner: AuditTrail, metrics: Metrics | None) -> AuditTrail:
    """Count what the audit trail records, where there are metrics."""
    return inner if metrics is None else MeteredAuditTrail(inner, metrics)
