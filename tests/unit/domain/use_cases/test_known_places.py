"""Places of allowed requests are remembered, and reveal nothing to other callers."""

from __future__ import annotations

import pytest

from domain.model.authenticated_request import AskedSecret
from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.use_cases.known_places import MAX_LENGTH, KnownPlaces, Place, meaning_of

PLACE = Place(NO_PROPERTIES, SecretLocation("/KEY"), meaning_of(NO_PROPERTIES))


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
POLICED = Place(PROPERTIES, SecretLocation("/shop/KEY"), meaning_of(PROPERTIES))


def test_the_same_entity_key_and_policy_find_the_place_again() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, "policy", PLACE)

    assert places.find(entity(), KEY, "policy") is PLACE


def test_another_key_field_policy_subject_or_issuer_finds_nothing() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, "policy", PLACE)

    assert places.find(entity(), AskedSecret("OTHER"), "policy") is None
    assert places.find(entity(), AskedSecret("KEY", "field"), "policy") is None
    assert places.find(entity(), KEY, "other") is None
    assert places.find(entity(subject="MB"), KEY, "policy") is None
    assert places.find(entity(issuer="AB"), KEY, "policy") is None


def test_a_policy_is_known_by_its_properties_in_any_order() -> None:
    places = KnownPlaces()

    places.keep(entity(), KEY, "policy", POLICED)

    reordered = dict(reversed(PROPERTIES.items()))
    assert places.find_meant(entity(), KEY, reordered) is POLICED
    assert places.find_meant(entity(), KEY, {**PROPERTIES, "path": "/shop/"}) is None
    assert places.find_meant(entity(), KEY, {"environment": "prod"}) is None
    assert places.find_meant(entity(subject="MB"), KEY, PROPERTIES) is None
    assert places.find_meant(entity(issuer="AB"), KEY, PROPERTIES) is None
    assert places.find_meant(entity(), AskedSecret("KEY", "field"), PROPERTIES) is None


@pytest.mark.parametrize(
    "others",
    [{"a": "b", "c": ""}, {"a": 'b","c'}, {"a,b": ""}, {"a": "b"}, {"a": "", "b": ""}, {}],
)
def test_properties_that_are_not_the_same_never_mean_the_same(others: dict[str, str]) -> None:
    assert meaning_of({"a": "b,c"}) != meaning_of(others)


def test_a_text_that_one_key_was_asked_by_finds_the_places_of_others() -> None:
    places = KnownPlaces()
    other = AskedSecret("OTHER")
    places.keep(entity(), KEY, "one text", POLICED)
    elsewhere = POLICED._replace(location=SecretLocation("/shop/OTHER"))
    places.keep(entity(), other, "another text", elsewhere)

    found = places.find(entity(), KEY, "another text")

    assert found is POLICED


def test_the_least_recently_used_place_goes_first() -> None:
    places = KnownPlaces(capacity=2)
    first, second, third = map(AskedSecret, ("FIRST", "SECOND", "THIRD"))
    places.keep(entity(), first, "", PLACE)
    places.keep(entity(), second, "", PLACE)
    places.find(entity(), first, "")

    places.keep(entity(), third, "", PLACE)

    assert places.find(entity(), first, "") is PLACE
    assert places.find(entity(), second, "") is None
    assert places.find(entity(), third, "") is PLACE


def test_a_long_key_field_and_policy_are_not_kept() -> None:
    places = KnownPlaces()
    key, field = AskedSecret("K"), AskedSecret("K", "f")

    places.keep(entity(), key, "p" * MAX_LENGTH, PLACE)
    places.keep(entity(), key, "p" * (MAX_LENGTH - 1), PLACE)
    places.keep(entity(), field, "p" * (MAX_LENGTH - 1), PLACE)

    assert places.find(entity(), field, "p" * (MAX_LENGTH - 1)) is None
    assert places.find(entity(), key, "p" * MAX_LENGTH) is None
    assert places.find(entity(), key, "p" * (MAX_LENGTH - 1)) is PLACE
