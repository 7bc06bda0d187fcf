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

    async def __call__(self, query: SecretQuery, field: str | None) -> Secret:
        """Fetch by the query's deadline.

        Raises:
            UpstreamError: the store did not answer by then, or failed.
            SecretNotFound, InvalidRequest, Unauthorized: as the store or the field says.
        """
        # What is at hand needs no timer, which would be a tenth of all that is added to the crypto.
        secret = self.store.at_hand(query) or await self._wait_for(query)
        return secret if field is None else select_field(secret, field)

    async def _wait_for(self, query: SecretQuery) -> Secret:
        try:
            async with self.clock.timeout_at(query.deadline):
                return await self.store.fetch(query)
        except TimeoutError:
            raise UpstreamError(
                "The secret store did not answer in time; check that it is up, and start the "
                "component again in 10 seconds.",
                reason="deadline_passed",
            ) from None
