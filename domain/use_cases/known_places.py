"""Where allowed requests led, so that the same key, field and policy need not be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.authenticated_request import AskedSecret
    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.model.reference import SecretLocation

Place: TypeAlias = "tuple[Mapping[str, str], SecretLocation]"
"""The policy's properties, and the location that these, the key and the field mean."""

_Meaning: TypeAlias = "frozenset[tuple[str, str]]"
"""A policy's properties, whatever order they were written in."""

MAX_LENGTH = 1024
"""Longer keys, fields and policies are read each time, so that memory stays bounded."""


class KnownPlaces:
    """The most recently used places, for each entity apart, by what the policy means.

    Hosts write the same policy in several ways, so its texts are remembered apart from the places:
    any key that is asked for by a policy makes its text known for all others.

    Only what an entity was allowed is kept, and only for itself: the time that a refusal takes must
    not tell what others ask for.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._meanings: RecentlyUsed[tuple[AccountKey, SubjectKey, str], _Meaning]
        self._meanings = RecentlyUsed(capacity)
        self._places: RecentlyUsed[tuple[AccountKey, SubjectKey, str, str | None, _Meaning], Place]
        self._places = RecentlyUsed(capacity)

    def find(self, entity: Claims, asked: AskedSecret, policy: str) -> Place | None:
        """Return the place that this entity was last led to by this key, field and policy text."""
        meaning = self._meanings.find((entity.issuer, entity.subject, policy))
        return None if meaning is None else self._find(entity, asked, meaning)

    def find_meant(
        self, entity: Claims, asked: AskedSecret, properties: Mapping[str, str]
    ) -> Place | None:
        """Return the place that this entity was last led to, in whatever text the policy came."""
        return self._find(entity, asked, frozenset(properties.items()))

    def keep(self, entity: Claims, asked: AskedSecret, policy: str, place: Place) -> None:
        """Remember the place of a request that was allowed."""
        if len(asked.key) + len(asked.field or "") + len(policy) > MAX_LENGTH:
            return
        meaning = frozenset(place[0].items())
        self._meanings.keep((entity.issuer, entity.subject, policy), meaning)
        self._places.keep((entity.issuer, entity.subject, asked.key, asked.field, meaning), place)

    def _find(self, entity: Claims, asked: AskedSecret, meaning: _Meaning) -> Place | None:
        return self._places.find((entity.issuer, entity.subject, asked.key, asked.field, meaning))
