"""Where allowed requests led, so that the same key, field and policy need not be read again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, NewType

from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.authenticated_request import AskedSecret
    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.model.reference import SecretLocation

Meaning = NewType("Meaning", str)
"""A policy's properties as one text, the same in whatever order they were written."""


class Place(NamedTuple):
    """Where a request leads. `properties`: the policy's."""

    properties: Mapping[str, str]
    location: SecretLocation
    meaning: Meaning


MAX_LENGTH = 1024
"""Longer keys, fields and policies are read each time, so that memory stays bounded."""


def meaning_of(properties: Mapping[str, str]) -> Meaning:
    """Write properties in the order of their names."""
    return Meaning(_write_json(sorted(properties.items())))


class KnownPlaces:
    """The most recently used places, for each entity apart, by what the policy means.

    Hosts write the same policy in several ways, so its texts are remembered apart from the places:
    any key that is asked for by a policy makes its text known for all others.

    Only what an entity was allowed is kept, and only for itself: the time that a refusal takes must
    not tell what others ask for.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._meanings: RecentlyUsed[tuple[AccountKey, SubjectKey, str], Meaning]
        self._meanings = RecentlyUsed(capacity)
        self._places: RecentlyUsed[tuple[AccountKey, SubjectKey, str, str | None, Meaning], Place]
        self._places = RecentlyUsed(capacity)

    def find(self, entity: Claims, asked: AskedSecret, policy: str) -> Place | None:
        """Return the place that this entity was last led to by this key, field and policy text."""
        meaning = self._meanings.find((entity.issuer, entity.subject, policy))
        return None if meaning is None else self._find(entity, asked, meaning)

    def find_meant(
        self, entity: Claims, asked: AskedSecret, properties: Mapping[str, str]
    ) -> Place | None:
        """Return the place that this entity was last led to, in whatever text the policy came."""
        return self._find(entity, asked, meaning_of(properties))

    def keep(self, entity: Claims, asked: AskedSecret, policy: str, place: Place) -> None:
        """Remember the place of a request that was allowed."""
        if len(asked.key) + len(asked.field or "") + len(policy) > MAX_LENGTH:
            return
        key = (entity.issuer, entity.subject, asked.key, asked.field, place.meaning)
        self._meanings.keep((entity.issuer, entity.subject, policy), place.meaning)
        self._places.keep(key, place)

    def _find(self, entity: Claims, asked: AskedSecret, meaning: Meaning) -> Place | None:
        return self._places.find((entity.issuer, entity.subject, asked.key, asked.field, meaning))


_write_json = json.JSONEncoder(separators=(",", ":")).encode
