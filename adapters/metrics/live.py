"""Gauges and counts that are read from the parts themselves, at the moment of a scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector
from typing_extensions import override

from adapters.metrics import catalogue as known
from adapters.metrics.catalogue import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from adapters.metrics.catalogue import MetricSpec
    from adapters.metrics.sources import (
        BreakerState,
        CacheCounts,
        Durations,
        InfisicalState,
        PolicyStatus,
        ReadinessState,
        SinkState,
        Sources,
    )

_Samples: TypeAlias = "Iterable[tuple[tuple[str, ...], float]]"


@final
class LiveCollector(Collector):
    """Asks the parts of one replica; costs nothing until somebody scrapes.

    It runs on the event loop's thread, as the parts expect.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: registering must not ask the parts, which are still being built."""
        return iter(())

    @override
    def collect(self) -> Iterator[Metric]:
        sources = self._sources
        yield _one(known.IN_FLIGHT, sources.transport.in_flight)
        yield _one(known.IN_FLIGHT_LIMIT, sources.in_flight_limit)
        yield _one(known.DROPPED, sources.transport.dropped)
        yield _one(known.NATS_CONNECTED, sources.connection.is_connected)
        yield _one(known.AUDIT_ACCEPTING, sources.audit.accepts())
        yield from _sinks(sources.sinks)
        if sources.policy is not None:
            yield from _policy(sources.policy.status)
        if sources.breaker is not None:
            yield from _breaker(sources.breaker.state())
        if sources.infisical is not None:
            yield from _infisical(sources.infisical.state())
        if sources.cache is not None:
            yield from _cache(sources.cache.statistics())
        if sources.readiness is not None:
            yield from _readiness(sources.readiness)


def _sinks(sinks: Mapping[str, SinkState]) -> Iterator[Metric]:
    items = sinks.items()
    yield _family(known.AUDIT_WAITING, (((name,), sink.waiting) for name, sink in items))
    yield _family(known.AUDIT_DROPPED, (((name,), sink.dropped) for name, sink in items))
    yield _family(known.AUDIT_FAILING, (((name,), sink.failing) for name, sink in items))


def _policy(status: PolicyStatus) -> Iterator[Metric]:
    yield _one(known.POLICY_LOADED, status.digest is not None)
    yield _one(known.POLICY_REFUSED, status.refusal is not None)
    if status.loaded_at is not None:
        yield _one(known.POLICY_LOADED_AT, status.loaded_at)
    yield _one(known.POLICY_ISSUERS, status.issuers)
    yield _one(known.POLICY_GRANTS, status.grants)
    yield _one(known.POLICY_DENIALS, status.denials)


def _breaker(state: BreakerState) -> Iterator[Metric]:
    yield _one(known.BREAKER_OPEN, state.state != "closed")
    yield _one(known.BREAKER_OPENED, state.opened_count)
    yield _one(known.BREAKER_REFUSED, state.refused_count)


def _infisical(state: InfisicalState) -> Iterator[Metric]:
    if state.token is not None:
        yield _one(known.LOGIN_AGE, state.token.age_seconds)
        yield _one(known.TOKEN_REMAINING, state.token.remaining_seconds)
    reads = state.reads
    pauses = zip(known.CALLS, (state.login_pause_seconds, reads.pause_seconds), strict=True)
    yield _family(known.PAUSE, (((call,), seconds) for call, seconds in pauses))
    yield _one(known.READS_IN_FLIGHT, reads.in_flight)
    yield _one(known.READS_WAITING, reads.waiting)
    yield _one(known.READS_REFUSED, reads.refused)
    if reads.limit is not None:
        yield _one(known.READS_LIMIT, reads.limit)
    calls = state.calls.items()
    yield _family(known.INFISICAL_CALLS, (((status,), count) for status, count in calls))
    yield _histogram(known.INFISICAL_DURATION, state.call_durations.items())
    yield _histogram(known.READS_WAIT, [((), state.read_waits)])


def _cache(counts: CacheCounts) -> Iterator[Metric]:
    results = (counts.hits, counts.misses, counts.shared, counts.negative_hits)
    yield _family(
        known.CACHE_LOOKUPS,
        (((result,), count) for result, count in zip(known.LOOKUP_RESULTS, results, strict=True)),
    )
    yield _one(known.CACHE_STALE, counts.stale)
    yield _one(known.CACHE_REFRESHES, counts.refreshes)
    yield _one(known.CACHE_EVICTIONS, counts.evictions)
    yield _one(known.CACHE_FLUSHED, counts.flushed)
    yield _one(known.CACHE_ENTRIES, counts.entries)
    yield _one(known.CACHE_BYTES, counts.bytes)
    yield _one(known.WAITING, counts.waiting)
    yield _one(known.WAITING_LIMIT, counts.waiting_limit)
    yield _one(known.WAITING_REFUSED, counts.refused)


def _readiness(readiness: ReadinessState) -> Iterator[Metric]:
    verdicts = readiness.last().items()
    yield _family(known.CHECK_OK, (((name,), verdict.ok) for name, verdict in verdicts))
    yield _family(known.CHECK_AGE, (((name,), verdict.age_seconds) for name, verdict in verdicts))


def _one(spec: MetricSpec, value: float) -> Metric:
    return _family(spec, (((), value),))


def _histogram(spec: MetricSpec, samples: Iterable[tuple[tuple[str, ...], Durations]]) -> Metric:
    family = HistogramMetricFamily(spec.name, spec.meaning, labels=spec.label_names)
    for labels, durations in samples:
        within = [(str(bound), float(count)) for bound, count in durations.within]
        family.add_metric(labels, [*within, ("+Inf", durations.count)], durations.sum_seconds)
    return family


def _family(spec: MetricSpec, samples: _Samples) -> Metric:
    make = CounterMetricFamily if spec.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(spec.name, spec.meaning, labels=spec.label_names)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
