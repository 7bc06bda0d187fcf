"""Kubernetes Secrets as a plug-in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.kubernetes.settings import KubernetesSettings
from adapters.upstream.admission_config import worker_share
from adapters.upstream.server_address import host_and_port
from ports.plugin import PluginError
from ports.store_plugin import StoreParts, StorePlugin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.kubernetes.bounds import Bounds
    from adapters.kubernetes.connection import Connection
    from adapters.upstream.engine import Slot
    from domain.model.reference import SecretQuery
    from domain.model.selection import Selection
    from ports.plugin import Sample
    from ports.store_plugin import StoreContext
    from ports.store_shape import StoreShape

WATCHED_TTL_SECONDS: Final = 30.0
"""How old an answer may get where a watch ends it at a change: a watch that is silent proves
nothing, so this bounds what is missed."""

UNWATCHED_TTL_SECONDS: Final = 5.0

MAX_WATCHES: Final = 100
"""Each holds a connection to the API server, in every process."""


class KubernetesPlugin(StorePlugin[KubernetesSettings]):
    """Registered as `kubernetes`."""

    name: ClassVar[str] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"
    api_version: ClassVar[int] = 1
    settings = KubernetesSettings

    @override
    def warnings(self, settings: KubernetesSettings) -> Sequence[str]:
        if not settings.allowed_impersonations:
            return ()
        advice = (
            "Every component that may ask this service can choose among the users of "
            "KUBERNETES_ALLOWED_IMPERSONATIONS. Bind them in the access policy by the property "
            "`impersonate`, or unset the variable."
        )
        return (advice,)

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.kubernetes.shape import KubernetesShape  # noqa: PLC0415  if it is chosen

        return KubernetesShape(given.get("namespace", "default"))

    @override
    def build(self, settings: KubernetesSettings, context: StoreContext) -> StoreParts:
        from adapters.kubernetes.sources import connection_of  # noqa: PLC0415  if it is chosen

        failure = ""
        try:
            connection = connection_of(settings)
            bounds = settings.bounds(connection.namespace)
            return _parts(settings, connection, bounds, context)
        except ValueError as error:
            failure = str(error)
        # Raised out here, so that nothing that was read is kept as its context.
        raise PluginError(failure)


def _parts(
    settings: KubernetesSettings, connection: Connection, bounds: Bounds, context: StoreContext
) -> StoreParts:
    from adapters.kubernetes.addressing import secret_name  # noqa: PLC0415  see above
    from adapters.kubernetes.change_notices import ChangeNotices  # noqa: PLC0415
    from adapters.kubernetes.check import KubernetesCheck  # noqa: PLC0415
    from adapters.kubernetes.reader import SecretReader  # noqa: PLC0415
    from adapters.kubernetes.samples import (  # noqa: PLC0415
        call_samples,
        read_samples,
        watch_samples,
    )
    from adapters.kubernetes.store import KubernetesSecretStore  # noqa: PLC0415
    from adapters.kubernetes.transport import open_transport  # noqa: PLC0415
    from adapters.kubernetes.watches import SecretWatches  # noqa: PLC0415
    from adapters.upstream.admission import Admission  # noqa: PLC0415
    from adapters.upstream.admission_config import AdmissionConfig  # noqa: PLC0415

    clock, jitter = context.clock, context.jitter
    transport = open_transport(
        connection,
        clock,
        jitter,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        read_timeout_seconds=settings.read_timeout_seconds,
        max_connections=settings.max_connections,
        user_agent=context.user_agent,
    )
    admission = Admission(
        AdmissionConfig(
            name="Kubernetes",
            code="kubernetes",
            limit_setting="KUBERNETES_MAX_REQUESTS_PER_MINUTE",
            max_in_flight=transport.config.read_connections,
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

    def tell(selection: Selection) -> None:
        context.changed(selection)

    reader = SecretReader(transport.api, clock, may_be_stale=settings.stale_reads)
    notices = ChangeNotices(tell, context.peers, clock, jitter)
    targets = bounds.targets() if settings.watch else ()
    if len(targets) > MAX_WATCHES:
        raise ValueError(
            f"KUBERNETES_WATCH would open {len(targets)} watches, and {MAX_WATCHES} is the most; "
            "unset KUBERNETES_ALLOWED_SECRETS to have one for each namespace, or the watch."
        )
    watches = SecretWatches(transport.api, targets, notices, clock, jitter)
    transport.engine.on_gone = watches.reopen

    async def close() -> None:
        await admission.aclose()
        await transport.api.aclose()

    def samples() -> Iterator[Sample]:
        yield from read_samples(reader, admission, transport.http.statistics)
        yield from call_samples(transport.http.statistics.counts)
        yield from watch_samples(watches, notices)

    return StoreParts(
        KubernetesSecretStore(bounds, reader, watches, slot_for),
        KubernetesCheck(transport.api, bounds, clock, url=connection.url, watches=settings.watch),
        run=watches.run if settings.watch else None,
        close=close,
        reload=transport.reload,
        degraded=watches.degraded,
        samples=samples,
        cache_ttl_seconds=WATCHED_TTL_SECONDS if settings.watch else UNWATCHED_TTL_SECONDS,
        server=host_and_port(connection.url),
        announces_changes=settings.watch,
    )


PLUGIN: Final = KubernetesPlugin()
