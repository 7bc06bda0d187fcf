"""The audit trail port, decorated: every request is counted by the event it ends with."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, final

from typing_extensions import override

from adapters.metrics import catalogue
from adapters.metrics.catalogue import ERRORS, NONE, OTHER, SERVER_KEYS
from adapters.upstream.statistics import Histogram
from domain.model.audit import Outcome
from domain.model.transport import Operation
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.metrics.registry import Metrics
    from domain.model.audit import AuditEvent, ServerKey
    from ports.plugin import Sample

MAX_REASONS: Final = 128
"""Reasons are constants of the code; should one ever be made up, metrics stay bounded."""

_REASON = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)

_Key = tuple[str, Outcome, "str | None", str, "str | None", "ServerKey | None"]
_Values = tuple[str, ...]
_new_histogram = partial(Histogram, catalogue.DURATION_BUCKETS)


class MeteredAuditTrail(AuditTrail):
    """Passes everything on to `inner`, and counts and times what it passes on."""

    def __init__(self, inner: AuditTrail, metrics: Metrics) -> None:
        self._inner = inner
        self._known: dict[_Key, Histogram] = {}
        self._known_reasons: set[str] = set()
        self._ends = RequestEnds([self._reason(reason) for reason in catalogue.WATCHED_REASONS])
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
            _among(catalogue.OPERATIONS, operation),
            _among(catalogue.OUTCOMES, outcome),
            _among(ERRORS, error or NONE, "Other"),
            self._reason(reason),
            _among(catalogue.SOURCES, source or NONE),
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


class End(NamedTuple):
    """The labels of one kind of end. `server_key`: empty for a request that could not be read."""

    operation: str
    outcome: str
    error: str
    reason: str
    served_from: str
    server_key: str


@final
class RequestEnds:
    """Counts and times requests by how they ended.

    One number is raised for each request, and Prometheus asks every few seconds: so the metrics,
    each of which knows some of the labels, are summed up only then. `watched`: reasons of refusals
    that are shown before there is any.
    """

    def __init__(self, watched: Sequence[str]) -> None:
        self._watched = watched
        self._durations: defaultdict[End, Histogram] = defaultdict(_new_histogram)

    def of(self, end: End) -> Histogram:
        """Return where the durations of requests that end so are counted."""
        return self._durations[end]

    def samples(self) -> Iterator[Sample]:
        """Yield every metric of requests as it is now."""
        # A series that begins with its first failure has neither a rate nor an increase for it.
        requests = Counter[_Values](
            {
                **{(operation, Outcome.ANSWERED, NONE): 0 for operation in Operation},
                **{(Operation.GET, Outcome.REFUSED, error): 0 for error in ERRORS[1:]},
            }
        )
        reasons = Counter[_Values]({(Outcome.REFUSED, reason): 0 for reason in self._watched})
        opened = Counter[_Values]({(key,): 0 for key in SERVER_KEYS})
        durations: defaultdict[_Values, Histogram] = defaultdict(_new_histogram)
        for operation in Operation:
            durations[operation, NONE] = _new_histogram()
        for end, ended in self._durations.items():
            requests[end.operation, end.outcome, end.error] += ended.count
            reasons[end.outcome, end.reason] += ended.count
            if end.server_key:
                opened[(end.server_key,)] += ended.count
            durations[end.operation, end.served_from].add_all(ended)
        for spec, counted in (
            (catalogue.REQUESTS, requests),
            (catalogue.REASONS, reasons),
            (catalogue.OPENED, opened),
        ):
            yield from (spec.sample(count, values) for values, count in counted.items())
        yield from (catalogue.DURATION.timed(taken, values) for values, taken in durations.items())


def _among(values: tuple[str, ...], value: str, otherwise: str = OTHER) -> str:
    return value if value in values else otherwise
