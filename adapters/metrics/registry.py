"""A registry of the service's own, and what is written from it when Prometheus asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from adapters.metrics import catalogue
from adapters.metrics.live import LiveCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client import Metric

    from adapters.metrics.catalogue import MetricSpec
    from ports.clock import Clock
    from ports.plugin import Sample

REUSE_SECONDS: Final = 1.0
"""Writing takes milliseconds of the event loop, so no scraper makes it happen oftener."""


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
        self.gauge(catalogue.BUILD_INFO).labels(version, store).set(1)

    def counter(self, spec: MetricSpec) -> Counter:
        """Make a counter."""
        return Counter(spec.name, spec.meaning, spec.label_names, registry=self._registry)

    def gauge(self, spec: MetricSpec) -> Gauge:
        """Make a gauge."""
        return Gauge(spec.name, spec.meaning, spec.label_names, registry=self._registry)

    def histogram(self, spec: MetricSpec) -> Histogram:
        """Make a histogram of seconds."""
        return Histogram(
            spec.name,
            spec.meaning,
            spec.label_names,
            buckets=catalogue.DURATION_BUCKETS,
            registry=self._registry,
        )

    def watch(self, *sources: Callable[[], Iterable[Sample]]) -> None:
        """Have every source asked for its samples at every scrape."""
        self._registry.register(LiveCollector(sources))

    def families(self) -> Iterator[Metric]:
        """Yield all metrics as they are now."""
        return _WithoutCreationTimes(self._registry).collect()

    def render(self) -> bytes:
        """Write all metrics, at most a second old."""
        now = self._clock.monotonic()
        if self._written is None or now - self._written[0] >= REUSE_SECONDS:
            self._written = now, generate_latest(_WithoutCreationTimes(self._registry))
        return self._written[1]


class _WithoutCreationTimes(Collector):
    """Leaves out `…_created`: a third of all lines, which this format has no use for.

    The library's own switch for it is one for the whole process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    @override
    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [
                sample for sample in metric.samples if not sample.name.endswith("_created")
            ]
            yield metric
