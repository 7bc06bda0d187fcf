"""Where allowed requests led, so that the same key, field and policy need not be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.model.reference import SecretLocation

Place: TypeAlias = "tuple[Mapping[str, str], SecretLocation]"
"""The policy's properties, and the location that these, the key and the field mean."""

MAX_LENGTH = 1024
"""Longer keys, fields and policies are read each time, so that memory stays bounded."""


class KnownPlaces:
    """The most recently used places, for each entity apart.

    Only what an entity was allowed is kept, and only for itself: the time that a refusal takes must
    not tell what others ask for.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._places: RecentlyUsed[tuple[AccountKey, SubjectKey, str, str | None, str], Place]
        self._places = RecentlyUsed(capacity)

    def find(self, entity: Claims, key: str, field: str | None, policy: str) -> Place | None:
        """Return the place that this entity was last led to by the same key, field and policy."""
        return self._places.find((entity.issuer, entity.subject, key, field, policy))

    def keep(self, entity: Claims, key: str, field: str | None, policy: str, place: Place) -> None:
        """Remember the place of a request that was allowed."""
        if len(key) + len(field or "") + len(policy) > MAX_LENGTH:
            return
        self._places.keep((entity.issuer, entity.subject, key, field, policy), place)
