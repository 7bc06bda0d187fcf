"""A registry of the service's own, and what is written from it when Prometheus asks.

Figures of the service's parts are read from these at each scrape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from adapters.metrics import catalogue
from adapters.metrics.catalogue import PREFIX
from adapters.metrics.worker_end import WorkerEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from ports.clock import Clock
    from ports.plugin import Sample

REUSE_SECONDS: Final = 1.0
"""Writing takes milliseconds of the event loop, so no scraper makes it happen oftener."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,127}", re.ASCII)
_LABEL: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_KINDS: Final = ("gauge", "counter", "histogram")
_log = structlog.get_logger()


@final
class Metrics:
    """Holds the metrics of one replica and writes them in Prometheus' text format 0.0.4. `store`:
    the name of the kind of store that is configured.
    """

    content_type: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, clock: Clock, *, version: str, store: str) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        self._written: tuple[float, bytes] | None = None
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        build = catalogue.BUILD_INFO.sample(1, (version, store))
        self.watch(lambda: (build,))

    def show_restarts(self, worker: int, ends: Mapping[WorkerEnd, int]) -> None:
        """Count how often this worker's place, from 0, was taken by a new process. `ends`: how the
        processes before this one ended, as the supervisor counted.
        """
        # All from the start: a series that begins with its first restart has no increase.
        restarts = [
            catalogue.WORKER_RESTARTS.sample(ends.get(end, 0), (str(worker), end))
            for end in WorkerEnd
        ]
        self.watch(lambda: restarts)

    def watch(self, *sources: Callable[[], Iterable[Sample]]) -> None:
        """Have every source asked for its samples at every scrape."""
        self._registry.register(LiveCollector(sources))

    def families(self) -> Iterable[Metric]:
        """Yield all metrics as they are now."""
        return self._registry.collect()

    def render(self) -> bytes:
        """Write all metrics, at most a second old."""
        now = self._clock.monotonic()
        if self._written is None or now - self._written[0] >= REUSE_SECONDS:
            self._written = now, generate_latest(self._registry)
        return self._written[1]


@final
class LiveCollector(Collector):
    """Asks every part of one replica; costs nothing between two scrapes.

    It runs on the event loop's thread, as the parts expect. A part that fails, or whose samples
    Prometheus could not read, is left out of the scrape and logged.
    """

    def __init__(self, sources: Sequence[Callable[[], Iterable[Sample]]]) -> None:
        self._sources = sources

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: registering must not ask the parts, which are still being built."""
        return iter(())

    @override
    def collect(self) -> Iterator[Metric]:
        by_name: dict[str, list[Sample]] = {}
        for source in self._sources:
            try:
                samples = [sample for sample in source() if _is_readable(sample)]
            except Exception as error:  # noqa: BLE001  the other parts are shown all the same
                _log.exception("metrics.source_failed", error=type(error).__name__)
                continue
            for sample in samples:
                by_name.setdefault(sample.name, []).append(sample)
        for name, samples in by_name.items():
            yield _family(PREFIX + name, samples)


def _is_readable(sample: Sample) -> bool:
    names = [name for name, _ in sample.labels]
    readable = (
        _NAME.fullmatch(sample.name)
        and all(map(_LABEL.fullmatch, names))
        and len(set(names)) == len(names)
        and sample.kind in _KINDS
    )
    if not readable:
        _log.error("metrics.sample_malformed", advice="Report it to the store's authors.")
    return bool(readable)


def _family(name: str, samples: Sequence[Sample]) -> Metric:
    first = samples[0]
    label_names = [label for label, _ in first.labels]
    alike = [
        (tuple(dict(sample.labels)[label] for label in label_names), sample)
        for sample in samples
        if {label for label, _ in sample.labels} == set(label_names) and sample.kind == first.kind
    ]
    if first.kind == "histogram":
        histogram = HistogramMetricFamily(name, first.meaning, labels=label_names)
        for labels, sample in alike:
            buckets = [(_bound(bound), float(count)) for bound, count in sample.buckets]
            histogram.add_metric(labels, buckets, sample.value)
        return histogram
    make = CounterMetricFamily if first.kind == "counter" else GaugeMetricFamily
    family = make(name, first.meaning, labels=label_names)
    for labels, sample in alike:
        family.add_metric(labels, sample.value)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(bound)
