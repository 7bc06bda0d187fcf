"""A store whose calls end at the query's deadline, whatever the store does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.opaque import opaque
from domain.use_cases.fetch_secret import fetch_by_deadline
from ports.lateness import Lateness, NotMeasured
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from ports.clock import Clock


@opaque
class BoundedSecretStore(SecretStore):
    """Goes directly around the store, so that all layers outside see a typed error.

    A call that the cache shares belongs to no request, so the bound of a request does not end it.
    """

    inner: SecretStore
    clock: Clock
    lateness: Lateness = NotMeasured()

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self.inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        return await fetch_by_deadline(self.inner, query, self.clock, self.lateness)
