"""Where allowed requests led, so that the same key and policy need not be read again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.model.reference import SecretLocation

Place: TypeAlias = "tuple[Mapping[str, str], SecretLocation]"
"""The policy's properties, and the location that these and the key mean."""

MAX_LENGTH = 1024
"""Longer keys and policies are read each time, so that memory stays bounded."""


class KnownPlaces:
    """The most recently used places, for each entity apart.

    Only what an entity was allowed is kept, and only for itself: the time that a refusal takes must
    not tell what others ask for.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._places: OrderedDict[tuple[AccountKey, SubjectKey, str, str], Place] = OrderedDict()

    def find(self, entity: Claims, key: str, policy: str) -> Place | None:
        """Return the place that this entity was last led to by the same key and policy."""
        asked = (entity.issuer, entity.subject, key, policy)
        place = self._places.get(asked)
        if place is not None:
            self._places.move_to_end(asked)
        return place

    def keep(self, entity: Claims, key: str, policy: str, place: Place) -> None:
        """Remember the place of a request that was allowed."""
        if len(key) + len(policy) > MAX_LENGTH:
            return
        self._places[entity.issuer, entity.subject, key, policy] = place
        if len(self._places) > self._capacity:
            self._places.popitem(last=False)
