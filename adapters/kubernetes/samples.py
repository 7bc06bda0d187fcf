"""Kubernetes' figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.upstream.statistics import upstream_samples
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.kubernetes.change_notices import ChangeNotices
    from adapters.kubernetes.reader import SecretReader
    from adapters.kubernetes.watches import SecretWatches
    from adapters.upstream.admission import Admission
    from adapters.upstream.statistics import CallStatistics


def read_samples(
    reader: SecretReader, admission: Admission, statistics: CallStatistics
) -> Iterator[Sample]:
    """Yield the figures of reads."""
    state = admission.state()
    yield Sample(
        "kubernetes_pause_seconds",
        "Seconds until the next read may be sent by all rate limits; 0 if it may be now.",
        state.pause_seconds,
    )
    for name, meaning, count in (
        (
            "kubernetes_stale_reads_total",
            "Reads answered from the API server's watch cache because etcd did not answer.",
            reader.stale_reads,
        ),
        (
            "kubernetes_outages_total",
            "Times that reads began to go to the watch cache.",
            reader.outages,
        ),
    ):
        yield Sample(name, meaning, count, kind="counter")
    yield from upstream_samples(
        "kubernetes", "Kubernetes", state, statistics.durations, admission.waits
    )


def call_samples(calls: Mapping[str, int]) -> Iterator[Sample]:
    """Yield the calls that ended, by the class of their status."""
    for status, count in calls.items():
        yield Sample(
            "kubernetes_calls_total",
            "HTTP calls to the API server that ended, repeated tries included and watches not, by "
            "the class of the answer's status.",
            count,
            (("status", status),),
            "counter",
        )


def watch_samples(watches: SecretWatches, notices: ChangeNotices) -> Iterator[Sample]:
    """Yield the figures of watches; nothing where nothing is watched."""
    if not watches.all:
        return
    down = watches.down()
    for state, count in (("live", len(watches.all) - len(down)), ("down", len(down))):
        yield Sample(
            "kubernetes_watches",
            "Watches by whether a change would be told right now.",
            count,
            (("state", state),),
        )
    yield Sample(
        "kubernetes_watch_down_seconds",
        "Seconds that the watch which has been down for longest has been so; 0 if all are live.",
        watches.down_seconds(),
    )
    yield Sample(
        "kubernetes_watch_events_total",
        "Events that watches have told, bookmarks included.",
        sum(watch.events for watch in watches.all.values()),
        kind="counter",
    )
    for cause in next(iter(watches.all.values())).ends:
        yield Sample(
            "kubernetes_watch_ends_total",
            "Times that a watch ended: at its time (ended), by a failure (broken), because its "
            "place was too old (expired), by a refusal (refused), or to look for a server that was "
            "gone (reopened).",
            sum(watch.ends[cause] for watch in watches.all.values()),
            (("cause", cause),),
            "counter",
        )
    for teller, count in (("self", notices.announced), ("peer", notices.left_to_peers)):
        yield Sample(
            "kubernetes_changes_total",
            "Changed Secrets that this process saw, by which process told all replicas of them.",
            count,
            (("told_by", teller),),
            "counter",
        )
