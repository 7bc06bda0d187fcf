"""A cache in memory that holds what a test puts in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.secret_store import CachedSecrets

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretQuery
    from domain.model.secret import Secret


class FakeCachedSecrets(CachedSecrets):
    """Holds secrets by location and version, for all callers, until they are dropped."""

    def __init__(self) -> None:
        self._held: dict[tuple[SecretLocation, str | None], Secret] = {}

    def put(self, query: SecretQuery, secret: Secret) -> None:
        """Hold a secret for queries like this one."""
        self._held[query.location, query.version] = secret

    def drop(self) -> None:
        """Hold nothing any more."""
        self._held.clear()

    @override
    def cached(self, query: SecretQuery) -> Secret | None:
        return self._held.get((query.location, query.version))
