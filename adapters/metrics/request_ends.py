"""How requests ended, counted by all labels at once and told apart for each metric at a scrape."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, final

from adapters.metrics import catalogue
from adapters.metrics.catalogue import DURATION_BUCKETS, ERRORS, NONE, PREFIX, SERVER_KEYS
from adapters.upstream.statistics import Histogram
from domain.model.audit import Outcome
from domain.model.transport import Operation
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.metrics.catalogue import MetricSpec

_Values = tuple[str, ...]


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
        yield from _counts(catalogue.REQUESTS, requests)
        yield from _counts(catalogue.REASONS, reasons)
        yield from _counts(catalogue.OPENED, opened)
        for values, taken in durations.items():
            buckets = (*taken.within, (math.inf, taken.count))
            yield _sample(catalogue.DURATION, values, taken.sum_seconds, buckets)


def _counts(spec: MetricSpec, counted: Mapping[_Values, int]) -> Iterator[Sample]:
    for values, count in counted.items():
        yield _sample(spec, values, count)


def _sample(
    spec: MetricSpec, values: _Values, value: float, buckets: tuple[tuple[float, int], ...] = ()
) -> Sample:
    labels = tuple(zip(spec.label_names, map(str, values), strict=True))
    return Sample(spec.name.removeprefix(PREFIX), spec.meaning, value, labels, spec.kind, buckets)


_new_histogram = partial(Histogram, DURATION_BUCKETS)
