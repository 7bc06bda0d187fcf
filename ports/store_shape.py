"""What a store's keys, versions and policy properties look like, without asking it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretReference


class StoreShape(Protocol):
    """Reads what a manifest asks for; whether the operator allows it is not known here."""

    @abstractmethod
    def locate(self, reference: SecretReference) -> SecretLocation:
        """Read a reference as the store does.

        Raises:
            InvalidRequest: the key cannot name a secret.
            PolicyError: a property is unknown or malformed.
        """

    @abstractmethod
    def check_version(self, version: str) -> None:
        """Read a version as the store does.

        Raises:
            InvalidRequest: it cannot be one.
        """
