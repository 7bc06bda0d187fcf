"""From a location to a value, before the host stops waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import UpstreamError
from domain.model.json_field import select_field

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery
    from domain.model.secret import Secret
    from ports.clock import Clock
    from ports.secret_store import SecretStore


@dataclass(frozen=True, slots=True)
class FetchSecret:
    """Reads one secret, and one field of it when the request names one."""

    store: SecretStore
    clock: Clock

    def at_hand(self, query: SecretQuery, field: str | None) -> Secret | None:
        """Return what the store has at hand; None if it must be waited for.

        Raises:
            SecretNotFound, InvalidRequest: as the field says.
        """
        secret = self.store.at_hand(query)
        return secret if secret is None or field is None else select_field(secret, field)

    async def __call__(self, query: SecretQuery, field: str | None) -> Secret:
        """Fetch by the query's deadline.

        Raises:
            UpstreamError: the store did not answer by then, or failed.
            SecretNotFound, InvalidRequest, Unauthorized: as the store or the field says.
        """
        try:
            async with self.clock.timeout_at(query.deadline):
                secret = await self.store.fetch(query)
        except TimeoutError:
            raise UpstreamError(
                "The secret store did not answer in time; check that it is up, and start the "
                "component again in 10 seconds.",
                reason="deadline_passed",
            ) from None
        return secret if field is None else select_field(secret, field)
