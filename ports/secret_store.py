"""Where secrets are kept."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret


class SecretStore(Protocol):
    """Reads one secret at a time. Safe for concurrent calls; a cancelled call leaves it usable."""

    @abstractmethod
    def locate(self, reference: SecretReference) -> SecretLocation:
        """Read a reference as a place in this store, within what the operator allows.

        Pure and cheap: no I/O. Equal secrets give equal locations, whatever way they are spelled.
        A location with `field` tells the core that `fetch` answers the value of that field.

        Raises:
            InvalidRequest: the key cannot name a secret here.
            PolicyError: a property is unknown, malformed, or chooses outside what is allowed.
        """

    @abstractmethod
    async def fetch(self, query: SecretQuery) -> Secret:
        """Return the secret at a location that `locate` gave.

        The version served is the version asked for, or the latest when none is. An empty value is
        a value. A store bounds its own I/O by the query's deadline; in any case the caller cancels
        the call at that time.

        Raises:
            SecretNotFound: nothing there, or not in that version.
            InvalidRequest: the version cannot be one of this store's.
            Unauthorized: the store hides the value from this service.
            StoreUnavailable: the store is unreachable, failing, or too slow for the deadline.
            RateLimited: the store may not be asked just now.
            UpstreamError: the answer cannot be trusted, or the service is set up wrongly.
        """


class StoreHealth(Protocol):
    """Knows what earlier calls to the store came to."""

    @property
    @abstractmethod
    def is_down(self) -> bool:
        """Whether the store is known to be down, so that waiting for it is likely in vain."""


class CachedSecrets(Protocol):
    """Looks secrets up in memory; safe to call from the event loop, as it never waits."""

    @abstractmethod
    def cached(self, query: SecretQuery) -> Secret | None:
        """Return the secret of that location and version if it is cached and fresh, else None.

        A cached secret has the version and value that the store answered. The query's deadline does
        not matter, since the call returns at once.
        """
