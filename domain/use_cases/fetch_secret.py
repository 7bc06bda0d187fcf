"""Fetches one secret by the deadline of its request; the one owner of that deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.model.errors import StoreBusy, StoreTooSlow
from domain.model.json_field import select_field
from domain.model.opaque import opaque
from domain.model.own_lateness import SHORTEST_SECONDS, is_starved, starved
from ports.lateness import NotMeasured

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery
    from domain.model.secret import Secret
    from ports.clock import Clock
    from ports.lateness import Lateness
    from ports.secret_store import CachedSecrets, SecretStore

_NOT_MEASURED: Final = NotMeasured()

DEADLINE_PASSED: Final = "deadline_passed"
"""`reason` of the error for a store that has not answered by the query's deadline."""


async def fetch_by_deadline(
    store: SecretStore, query: SecretQuery, clock: Clock, lateness: Lateness = _NOT_MEASURED
) -> Secret:
    """Fetch from a store, and cancel the call at the query's deadline.

    Raises:
        StoreTooSlow: with reason `DEADLINE_PASSED`; or as the store says.
        ServiceStarved: in place of an error that says the store is slow, while this process itself
            is late.
        SecretsError: as the store says.
    """
    began = clock.monotonic()
    try:
        async with clock.timeout_at(query.deadline):
            return await store.fetch(query)
    except TimeoutError:
        slow: StoreTooSlow | StoreBusy = StoreTooSlow(
            "The secret store did not answer in time; check that it is up, and start the component "
            "again in 10 seconds.",
            reason=DEADLINE_PASSED,
        )
    except (StoreTooSlow, StoreBusy) as error:
        slow = error
    # Raised out here, without the context of a call that may hold credentials.
    now = clock.monotonic()
    since = min(began, now - SHORTEST_SECONDS)
    late = lateness.late_seconds(since)
    raise starved(late, now - since) if is_starved(late, now - since) else slow


@opaque
class FetchSecret:
    """Fetches one secret, and selects one field of it when the request names one.

    Attributes:
        store: is asked for what is not cached.
        cache: answers at once what it holds; None where nothing is cached.
        lateness: of this process, so that the store is not blamed for it.
    """

    store: SecretStore
    clock: Clock
    cache: CachedSecrets | None = None
    lateness: Lateness = _NOT_MEASURED

    def cached(self, query: SecretQuery, field: str | None) -> Secret | None:
        """Return the secret if it is cached and fresh; None if the store must be asked.

        Raises:
            SecretNotFound, InvalidRequest: as the field says.
        """
        secret = None if self.cache is None else self.cache.cached(query)
        return secret if secret is None or field is None else select_field(secret, field)

    async def __call__(self, query: SecretQuery, field: str | None) -> Secret:
        """Fetch by the query's deadline.

        Raises:
            StoreUnavailable: the store did not answer by then, or failed.
            ServiceStarved: this process was too late with its own work.
            UpstreamError: the store may not be asked, or its answer cannot be used.
            SecretNotFound, InvalidRequest, Unauthorized: as the store or the field says.
        """
        secret = await fetch_by_deadline(self.store, query, self.clock, self.lateness)
        return secret if field is None else select_field(secret, field)
