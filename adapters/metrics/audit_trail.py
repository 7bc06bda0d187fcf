"""The audit trail port, decorated: every request is counted by the event it ends with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.metrics.catalogue import (
    ERRORS,
    NONE,
    OPERATIONS,
    OTHER,
    OUTCOMES,
    SOURCES,
    WATCHED_REASONS,
)
from adapters.metrics.request_ends import End, RequestEnds
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from adapters.metrics.registry import Metrics
    from adapters.upstream.statistics import Histogram
    from domain.model.audit import AuditEvent, Outcome, ServerKey

MAX_REASONS: Final = 128
"""Reasons are constants of the code; should one ever be made up, metrics stay bounded."""

_REASON = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)

_Key = tuple[str, "Outcome", "str | None", str, "str | None", "ServerKey | None"]


class MeteredAuditTrail(AuditTrail):
    """Passes everything on to `inner`, and counts and times what it passes on."""

    def __init__(self, inner: AuditTrail, metrics: Metrics) -> None:
        self._inner = inner
        self._known: dict[_Key, Histogram] = {}
        self._known_reasons: set[str] = set()
        self._ends = RequestEnds([self._reason(reason) for reason in WATCHED_REASONS])
        metrics.watch(self._ends.samples)

    @override
    def accepts(self) -> bool:
        return self._inner.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        self._inner.record(event)
        # One look-up an event: finding what it counts by its labels takes several times as long.
        key = (
            event.operation,
            event.outcome,
            event.error,
            event.reason,
            event.served_from,
            event.server_key,
        )
        (self._known.get(key) or self._find(key)).add(event.duration)

    def _find(self, key: _Key) -> Histogram:
        operation, outcome, error, reason, source, server_key = key
        end = End(
            _among(OPERATIONS, operation),
            _among(OUTCOMES, outcome),
            _among(ERRORS, error or NONE, "Other"),
            self._reason(reason),
            _among(SOURCES, source or NONE),
            server_key or "",
        )
        durations = self._ends.of(end)
        if end == (operation, outcome, error or NONE, reason, source or NONE, server_key or ""):
            # Only what every label knows is remembered, so that no peer can make this grow.
            self._known[key] = durations
        return durations

    def _reason(self, reason: str) -> str:
        if reason not in self._known_reasons:
            if len(self._known_reasons) >= MAX_REASONS or not _REASON.fullmatch(reason):
                return OTHER
            self._known_reasons.add(reason)
        return reason


def _among(values: tuple[str, ...], value: str, otherwise: str = OTHER) -> str:
    return value if value in values else otherwise
