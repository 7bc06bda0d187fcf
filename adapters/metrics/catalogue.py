"""The metrics that are counted as requests pass: name, type, labels and the values of these.

Those of the parts are `ports.plugin.Sample`s, read at each scrape by `adapters.metrics.registry`.

No label ever holds a key, a subject, an issuer or any other text that a request may choose.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.metrics.worker_end import WorkerEnd
from domain.model.audit import Outcome, ServerKey
from domain.model.errors import REQUEST_ERRORS
from domain.model.transport import WORKLOAD_READ, Operation
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.upstream.statistics import Histogram

PREFIX: Final = "wasmcloud_secrets_"
OTHER: Final = "other"
"""Stands for whatever a label has no value of its own for."""

NONE: Final = "none"

OPERATIONS: Final = (*(str(operation) for operation in Operation), WORKLOAD_READ, OTHER)
OUTCOMES: Final = tuple(str(outcome) for outcome in Outcome)
ERRORS: Final = (NONE, *(kind.wire_name for kind in REQUEST_ERRORS))
SERVER_KEYS: Final = tuple(str(key) for key in ServerKey)
SOURCES: Final = ("store", "cache", "stale", OTHER, NONE)
STORE_OUTCOMES: Final = (
    "ok",
    "not_found",
    "unauthorized",
    "invalid_request",
    "upstream_error",
    "timed_out",
    "service_starved",
    "cancelled",
    "failed",
)
WATCHED_REASONS: Final = (
    "unexpected",
    "replayed",
    "infisical_login_refused",
    "infisical_login_locked",
    "infisical_rate_limited",
)
"""Reasons of refusals that the alert rules watch; the rules and these name the same."""


WORKER_ENDS: Final = tuple(str(end) for end in WorkerEnd)

DURATION_BUCKETS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0),
)
"""Seconds. From a cached answer to the 10 seconds that hosts wait."""


class Kind(StrEnum):
    """The types of Prometheus that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Label(NamedTuple):
    """One label. `values`: all that it may have; None where configuration or a constant code
    decides.
    """

    name: str
    values: tuple[str, ...] | None = None


class MetricSpec(NamedTuple):
    """One metric, under the name that queries use; a histogram's without `_bucket` and the like."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in order."""
        return tuple(label.name for label in self.labels)

    def sample(
        self,
        value: float,
        values: Sequence[str] = (),
        buckets: tuple[tuple[float, int], ...] = (),
    ) -> Sample:
        """Return one figure. `values`: of the labels, in their order."""
        labels = tuple(zip(self.label_names, map(str, values), strict=True))
        name = self.name.removeprefix(PREFIX)
        return Sample(name, self.meaning, value, labels, self.kind, buckets)

    def timed(self, taken: Histogram, values: Sequence[str]) -> Sample:
        """Return a histogram's figures; `values` as above."""
        buckets = (*taken.within, (math.inf, taken.count))
        return self.sample(taken.sum_seconds, values, buckets)


def _counter(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(f"{PREFIX}{name}_total", Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(PREFIX + name, Kind.GAUGE, meaning, labels)


def _histogram(name: str, meaning: str, *labels: Label) -> MetricSpec:
    return MetricSpec(PREFIX + name, Kind.HISTOGRAM, meaning, labels)


_OPERATION = Label("operation", OPERATIONS)
_OUTCOME = Label("outcome", OUTCOMES)

REQUESTS = _counter(
    "requests",
    "Requests that ended, by operation, outcome and the error's name on the wire.",
    _OPERATION,
    _OUTCOME,
    Label("error", ERRORS),
)
REASONS = _counter(
    "request_reasons",
    "Requests that ended, by the constant code that the audit trail gives as their reason.",
    _OUTCOME,
    Label("reason"),
)
DURATION = _histogram(
    "request_duration_seconds",
    "Time from a request's arrival to its end, by operation and where the value came from.",
    _OPERATION,
    Label("served_from", SOURCES),
)
OPENED = _counter(
    "requests_opened",
    "Requests that could be read, by the server key they were sealed for: while a former one is "
    "still used, it must stay among the retired.",
    Label("server_key", SERVER_KEYS),
)
STORE_DURATION = _histogram(
    "store_call_duration_seconds",
    "Time of calls to the secret store, by how they ended; its count is that of the calls.",
    Label("outcome", STORE_OUTCOMES),
)
STORE_IN_FLIGHT = _gauge("store_calls_in_flight", "Calls to the secret store under way.")

WORKER_RESTARTS = _counter(
    "worker_restarts",
    "Times that this worker's place was taken by a new process, by how the one before it ended; "
    "0 without a supervisor.",
    Label("worker"),
    Label("ended", WORKER_ENDS),
)

BUILD_INFO = _gauge(
    "build_info", "Always 1; says which release this is.", Label("version"), Label("store")
)


def catalogue() -> Iterator[MetricSpec]:
    """Yield every metric, in the order of this module."""
    return (value for value in globals().values() if isinstance(value, MetricSpec))
