"""Secrets out of a Kubernetes cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.kubernetes import reasons
from adapters.kubernetes.addressing import check_version, locate, secret_name
from adapters.kubernetes.bounds import OWN_RIGHTS
from domain.model.errors import SecretNotFound
from domain.model.secret import FROM_STORE, STALE, Secret
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.kubernetes.bounds import Bounds
    from adapters.kubernetes.reader import SecretReader
    from adapters.kubernetes.watches import SecretWatches
    from adapters.upstream.engine import Slot
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference

WATCH_CACHE: Final = "kubernetes_watch_cache"
"""`Secret.note` of an answer that the API server gave from its watch cache."""


class KubernetesSecretStore(SecretStore):
    """Reads Secrets of the allowed namespaces.

    A version is a resourceVersion. Kubernetes keeps only the present state, so a version that is
    asked for must be that of the present one; it is never sent, since to the API server it means
    "not older than".
    """

    def __init__(
        self,
        bounds: Bounds,
        reader: SecretReader,
        watches: SecretWatches,
        slot_for: Callable[[SecretQuery], Slot],
    ) -> None:
        self._bounds = bounds
        self._reader = reader
        self._watches = watches
        self._slot_for = slot_for

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return locate(reference, self._bounds)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        location, version = query.location, query.version
        if version is not None:
            check_version(version)
        scope = dict(location.scope)
        namespace, user = scope["namespace"], scope.get("impersonate", OWN_RIGHTS)
        name, key = secret_name(location)
        try:
            found = await self._reader.read(
                namespace,
                name,
                None if user == OWN_RIGHTS else user,
                query.deadline,
                self._slot_for(query),
            )
        except SecretNotFound:
            self._watches.note_read(namespace, name, None)
            raise
        state = found.secret.state
        if not found.is_stale:
            self._watches.note_read(namespace, name, state)
        if version is not None and version != state.resource_version:
            raise SecretNotFound(
                "That version is not available: Kubernetes keeps only the present state of a "
                "Secret. Drop the version, or ask for the present resourceVersion.",
                reason=reasons.VERSION_NOT_FOUND,
                upstream_request_id=found.request_id,
            )
        return Secret(
            version=state.resource_version,
            value=found.secret.value(key, location.encoding),
            upstream_request_id=found.request_id,
            source=STALE if found.is_stale else FROM_STORE,
            note=WATCH_CACHE if found.is_stale else None,
        )
