"""Puts the store together from its settings, with its figures for metrics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from adapters.kubernetes.addressing import secret_name
from adapters.kubernetes.change_notices import ChangeNotices
from adapters.kubernetes.check import KubernetesCheck
from adapters.kubernetes.reader import SecretReader
from adapters.kubernetes.sources import connection_of
from adapters.kubernetes.store import KubernetesSecretStore
from adapters.kubernetes.transport import open_api
from adapters.kubernetes.watches import SecretWatches
from adapters.upstream.admission import Admission
from adapters.upstream.admission_config import AdmissionConfig, worker_share
from adapters.upstream.server_address import host_and_port
from adapters.upstream.statistics import upstream_samples
from ports.plugin import Sample
from ports.store_plugin import StoreParts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.kubernetes.settings import KubernetesSettings
    from adapters.upstream.engine import Slot
    from adapters.upstream.statistics import CallStatistics
    from domain.model.reference import SecretQuery
    from ports.store_plugin import StoreContext

WATCHED_TTL_SECONDS: Final = 30.0
"""How old an answer may get where a watch ends it at a change: a watch that is silent proves
nothing, so this bounds what is missed."""

UNWATCHED_TTL_SECONDS: Final = 5.0

MAX_WATCHES: Final = 100
"""Each holds a connection to the API server, in every process."""


def build_parts(settings: KubernetesSettings, context: StoreContext) -> StoreParts:
    """Build the store.

    Raises:
        ValueError: a file or a setting cannot be used; the text says which to change.
    """
    connection = connection_of(settings)
    bounds = settings.bounds(connection.namespace)
    clock, jitter = context.clock, context.jitter
    api = open_api(connection, settings, context)
    admission = Admission(
        AdmissionConfig(
            name="Kubernetes",
            code="kubernetes",
            limit_setting="KUBERNETES_MAX_REQUESTS_PER_MINUTE",
            max_in_flight=api.http.config.read_connections,
            max_per_minute=worker_share(settings.max_requests_per_minute, context),
            # Priority and Fairness counts calls at a time.
            starts_slowly=True,
        ),
        clock,
    )

    def slot_for(query: SecretQuery) -> Slot:
        location = query.location
        # By Secret: in this API nothing hangs by namespace, and where there is one namespace only,
        # a tenant of its own would leave half of the connections idle.
        tenant = (location.scope, secret_name(location)[0])
        return partial(admission.slot, key=location, tenant=tenant, deadline=query.deadline)

    reader = SecretReader(api, clock, may_be_stale=settings.stale_reads)
    notices = ChangeNotices(context.changed, context.peers, clock, jitter)
    targets = bounds.targets() if settings.watch else ()
    if len(targets) > MAX_WATCHES:
        raise ValueError(
            f"KUBERNETES_WATCH would open {len(targets)} watches, and {MAX_WATCHES} is the most; "
            "unset KUBERNETES_ALLOWED_SECRETS to have one for each namespace, or the watch."
        )
    watches = SecretWatches(api, targets, notices, clock, jitter)
    api.on_gone = watches.reopen

    async def close() -> None:
        await admission.aclose()
        await api.aclose()

    def samples() -> Iterator[Sample]:
        yield from read_samples(reader, admission, api.http.statistics)
        yield from call_samples(api.http.statistics.counts)
        yield from watch_samples(watches, notices)

    return StoreParts(
        KubernetesSecretStore(bounds, reader, watches, slot_for),
        KubernetesCheck(api, bounds, clock, url=connection.url, watches=settings.watch),
        run=watches.run if settings.watch else None,
        close=close,
        reload=api.reload,
        degraded=watches.degraded,
        samples=samples,
        cache_ttl_seconds=WATCHED_TTL_SECONDS if settings.watch else UNWATCHED_TTL_SECONDS,
        server=host_and_port(connection.url),
        announces_changes=settings.watch,
    )


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
