"""Where allowed requests led, so that the same key, field and policy need not be located again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NewType, TypeAlias

from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.authenticated_request import AskedSecret
    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.model.reference import SecretLocation

Place: TypeAlias = "tuple[Mapping[str, str], SecretLocation]"
"""The policy's properties, and the location that these, the key and the field mean."""

Meaning = NewType("Meaning", str)
"""A policy's properties as one text, the same in whatever order they were written."""

MAX_LENGTH = 1024
"""Longer keys, fields and policies are read each time, so that memory stays bounded."""


def meaning_of(properties: Mapping[str, str]) -> Meaning:
    """Write properties in the order of their names."""
    return Meaning(_write_json(sorted(properties.items())))


class KnownPlaces:
    """The most recently used places, for each entity apart, by what the policy means.

    Only what an entity was allowed is kept, and only for itself: the time that a refusal takes must
    not tell what others ask for.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._places: RecentlyUsed[tuple[AccountKey, SubjectKey, str, str | None, Meaning], Place]
        self._places = RecentlyUsed(capacity)

    def find(
        self, entity: Claims, asked: AskedSecret, properties: Mapping[str, str]
    ) -> Place | None:
        """Return the place that this entity was last led to by this key, field and policy."""
        meaning = meaning_of(properties)
        return self._places.find((entity.issuer, entity.subject, asked.key, asked.field, meaning))

    def keep(self, entity: Claims, asked: AskedSecret, place: Place) -> None:
        """Remember the place of a request that was allowed."""
        meaning = meaning_of(place[0])
        if len(asked.key) + len(asked.field or "") + len(meaning) <= MAX_LENGTH:
            key = (entity.issuer, entity.subject, asked.key, asked.field, meaning)
            self._places.keep(key, place)


_write_json = json.JSONEncoder(separators=(",", ":")).encode
