"""Places of allowed requests are remembered, and reveal nothing to other callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.authenticated_request import AskedSecret
from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.use_cases.known_places import MAX_LENGTH, KnownPlaces, meaning_of

if TYPE_CHECKING:
    from domain.use_cases.known_places import Place

PLACE = NO_PROPERTIES, SecretLocation("/KEY")


def entity(subject: str = "MA", issuer: str = "AA") -> Claims:
    return Claims(
        kind=IdentityKind.COMPONENT,
        subject=SubjectKey(subject),
        issuer=AccountKey(issuer),
        token_id="id",
        issued_at=1,
    )


KEY = AskedSecret("KEY")
PROPERTIES = {"environment": "prod", "path": "/shop"}
POLICED = PROPERTIES, SecretLocation("/shop/KEY")


def test_the_same_entity_key_and_properties_find_the_place_again() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, POLICED)

    assert places.find(entity(), KEY, PROPERTIES) is POLICED


def test_another_key_field_policy_subject_or_issuer_finds_nothing() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, POLICED)

    assert places.find(entity(), AskedSecret("OTHER"), PROPERTIES) is None
    assert places.find(entity(), AskedSecret("KEY", "field"), PROPERTIES) is None
    assert places.find(entity(), KEY, {**PROPERTIES, "path": "/shop/"}) is None
    assert places.find(entity(), KEY, {"environment": "prod"}) is None
    assert places.find(entity(subject="MB"), KEY, PROPERTIES) is None
    assert places.find(entity(issuer="AB"), KEY, PROPERTIES) is None


def test_a_policy_is_known_by_its_properties_in_any_order() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, POLICED)

    assert places.find(entity(), KEY, dict(reversed(PROPERTIES.items()))) is POLICED


@pytest.mark.parametrize(
    "others",
    [{"a": "b", "c": ""}, {"a": 'b","c'}, {"a,b": ""}, {"a": "b"}, {"a": "", "b": ""}, {}],
)
def test_properties_that_are_not_the_same_never_mean_the_same(others: dict[str, str]) -> None:
    assert meaning_of({"a": "b,c"}) != meaning_of(others)


def test_the_least_recently_used_place_goes_first() -> None:
    places = KnownPlaces(capacity=2)
    first, second, third = map(AskedSecret, ("FIRST", "SECOND", "THIRD"))
    places.keep(entity(), first, PLACE)
    places.keep(entity(), second, PLACE)
    places.find(entity(), first, NO_PROPERTIES)

    places.keep(entity(), third, PLACE)

    assert places.find(entity(), first, NO_PROPERTIES) is PLACE
    assert places.find(entity(), second, NO_PROPERTIES) is None
    assert places.find(entity(), third, NO_PROPERTIES) is PLACE


def test_a_long_key_field_and_policy_are_not_kept() -> None:
    places = KnownPlaces()
    room = MAX_LENGTH - len(meaning_of({"p": ""})) - len("K")
    key, field = AskedSecret("K"), AskedSecret("K", "f")
    fits: Place = ({"p": "p" * room}, SecretLocation("/K"))
    too_long: Place = ({"p": "p" * (room + 1)}, SecretLocation("/K"))

    places.keep(entity(), key, too_long)
    places.keep(entity(), key, fits)
    places.keep(entity(), field, fits)

    assert places.find(entity(), field, fits[0]) is None
    assert places.find(entity(), key, too_long[0]) is None
    assert places.find(entity(), key, fits[0]) is fits
