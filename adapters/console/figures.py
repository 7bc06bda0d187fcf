"""Metrics for a person: by part of the service, with units."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, final

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prometheus_client import Metric

    from ports.clock import Clock

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_STEPS: Final = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"))
_KIBI: Final = 1024
_CODE: Final = re.compile(r"`([^`]+)`")

PREFIX: Final = "wasmcloud_secrets_"
REUSE_SECONDS: Final = 1.0
"""Reading all figures takes milliseconds of the event loop."""

_GROUPS: Final = (
    ("Circuit breaker", ("store_circuit_",)),
    ("Calls to the store", ("store_call",)),
    ("Cache", ("cache_",)),
    ("Waiting for the store", ("requests_waiting", "hosts_frozen", "host_waits")),
    ("Kubernetes watch", ("kubernetes_watch", "kubernetes_changes")),
    ("Infisical", ("infisical_",)),
    ("Vault", ("vault_",)),
    ("Kubernetes", ("kubernetes_",)),
    ("Transport", ("nats_", "requests_in_flight", "requests_dropped")),
    ("Audit trail", ("audit_",)),
    ("Process", ("process_", "worker_restarts")),
)
_SHOWN_ELSEWHERE: Final = (
    *("requests", "request_", "readiness_", "access_policy_", "build_info"),
    *("python_", "requests_opened"),
)
_OTHERS: Final = "Further figures"


def prose(text: str) -> Markup:
    """Escape a text for HTML, and mark what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


def amount(name: str, value: float) -> str:
    """Write the value of a metric with the unit that its name ends in."""
    plain = name.removesuffix("_total")
    if plain.endswith("_timestamp_seconds") or plain == "process_start_time_seconds":
        return moment(value)
    if plain.endswith("_seconds"):
        return duration(value)
    if plain.endswith("_bytes"):
        return size(value)
    return f"{value:,.0f}" if value == value // 1 else f"{value:,.2f}"


def duration(seconds: float) -> str:
    """Write seconds, such as "3.2 ms", "1 min 5 s" or "3 d 4 h"."""
    for step, unit, smaller, rest in _STEPS:
        if seconds >= step:
            return f"{seconds // step:.0f} {unit} {seconds % step // smaller:.0f} {rest}"
    return f"{seconds:.1f} s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:.1f} ms"


def ago(seconds: float) -> str:
    """Write how long ago something was."""
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"


def size(count: float) -> str:
    """Write bytes, such as "1.5 MiB"."""
    unit = "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if count < _KIBI:
            break
        count, unit = count / _KIBI, larger
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"


def moment(time: float) -> str:
    """Write seconds since the epoch in UTC, to the second; "unknown" if it is no time."""
    return f"{shown} UTC" if (shown := clock(time)) else "unknown"


def clock(time: float) -> str:
    """Write seconds since the epoch as `moment`, without the zone; "" if it is no time."""
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return ""


class Figure(NamedTuple):
    """One metric.

    Attributes:
        name: without the product's prefix.
        values: of each sample its labels, as "name value" or "", and the value with its unit.
    """

    name: str
    meaning: str
    values: Sequence[tuple[str, str]]


@final
class Figures:
    """Every figure of the replica, at most a second old."""

    def __init__(self, read: Callable[[], Iterable[Metric]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._at: float | None = None
        self._metrics: tuple[Metric, ...] = ()

    def now(self) -> tuple[Metric, ...]:
        """Return the metrics."""
        at = self._clock.monotonic()
        if self._at is None or at - self._at >= REUSE_SECONDS:
            self._at, self._metrics = at, tuple(self._read())
        return self._metrics

    def groups(self) -> Mapping[str, Sequence[Figure]]:
        """Return the figures of each part that has any, but for those with a page of their own."""
        groups: dict[str, list[Figure]] = {
            title: [] for title in (*(title for title, _ in _GROUPS), _OTHERS)
        }
        for metric in self.now():
            name = metric.name.removeprefix(PREFIX)
            title = next((t for t, starts in _GROUPS if name.startswith(starts)), None)
            if title is None and name.startswith(_SHOWN_ELSEWHERE):
                continue
            if values := _values(metric):
                groups[title or _OTHERS].append(Figure(name, metric.documentation, values))
        return {title: figures for title, figures in groups.items() if figures}

    def values(self, name: str) -> Mapping[tuple[tuple[str, str], ...], float]:
        """Return the samples of one metric, by their sorted labels; the name without the prefix."""
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for metric in self.now()
            for sample in metric.samples
            if sample.name == PREFIX + name
        }

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of one metric that have these labels."""
        wanted = set(labels.items())
        return sum(value for found, value in self.values(name).items() if wanted <= set(found))

    def reasons(self) -> Mapping[str, float]:
        """Return how many requests ended with each "outcome reason", the most frequent first."""
        counts = {
            f"{dict(labels)['outcome']} {dict(labels)['reason']}": value
            for labels, value in self.values("request_reasons_total").items()
            if value
        }
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _values(metric: Metric) -> Sequence[tuple[str, str]]:
    if metric.type == "histogram":
        return _times(metric)
    return [
        (_labels(sample.labels), amount(sample.name, sample.value)) for sample in metric.samples
    ]


def _times(metric: Metric) -> Sequence[tuple[str, str]]:
    counts: dict[str, dict[str, float]] = {}
    for sample in metric.samples:
        if sample.name.endswith(("_count", "_sum")):
            which = sample.name.rpartition("_")[2]
            counts.setdefault(_labels(sample.labels), {})[which] = sample.value
    return [
        (labels, _mean(found["count"], found["sum"]))
        for labels, found in counts.items()
        if found["count"]
    ]


def _mean(count: float, seconds: float) -> str:
    return f"{count:,.0f}, {duration(seconds / count)} on average"


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(labels.items()))
