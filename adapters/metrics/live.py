"""Figures that are read from the parts of the service at each scrape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from adapters.metrics.catalogue import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

    from ports.plugin import Sample

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,127}", re.ASCII)
_LABEL: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_KINDS: Final = ("gauge", "counter", "histogram")

_log = structlog.get_logger()


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
                _log.error("metrics.source_failed", error=type(error).__name__)
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
