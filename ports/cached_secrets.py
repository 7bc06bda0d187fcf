"""Secrets that can be answered without waiting for a store."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery
    from domain.model.secret import Secret


class CachedSecrets(Protocol):
    """Looks secrets up in memory; safe to call from the event loop, as it never waits."""

    @abstractmethod
    def cached(self, query: SecretQuery) -> Secret | None:
        """Return the secret of that location and version if it is cached and fresh, else None.

        A cached secret has the version and value that the store answered. The query's deadline does
        not matter, since the call returns at once.
        """
        ...
