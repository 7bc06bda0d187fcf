"""What allowed requests led to is remembered, and tells nobody else anything."""

from __future__ import annotations

from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.use_cases.known_places import MAX_LENGTH, KnownPlaces

PLACE = NO_PROPERTIES, SecretLocation("/KEY")


def entity(subject: str = "MA", issuer: str = "AA") -> Claims:
    return Claims(
        kind=IdentityKind.COMPONENT,
        subject=SubjectKey(subject),
        issuer=AccountKey(issuer),
        token_id="id",
        issued_at=1,
    )


def test_the_same_entity_key_and_policy_find_the_place_again() -> None:
    places = KnownPlaces()

    places.keep(entity(), "KEY", "policy", PLACE)

    assert places.find(entity(), "KEY", "policy") is PLACE


def test_another_key_policy_subject_or_issuer_finds_nothing() -> None:
    places = KnownPlaces()

    places.keep(entity(), "KEY", "policy", PLACE)

    assert places.find(entity(), "OTHER", "policy") is None
    assert places.find(entity(), "KEY", "other") is None
    assert places.find(entity(subject="MB"), "KEY", "policy") is None
    assert places.find(entity(issuer="AB"), "KEY", "policy") is None


def test_the_least_recently_used_place_goes_first() -> None:
    places = KnownPlaces(capacity=2)
    places.keep(entity(), "FIRST", "", PLACE)
    places.keep(entity(), "SECOND", "", PLACE)
    places.find(entity(), "FIRST", "")

    places.keep(entity(), "THIRD", "", PLACE)

    assert places.find(entity(), "FIRST", "") is PLACE
    assert places.find(entity(), "SECOND", "") is None
    assert places.find(entity(), "THIRD", "") is PLACE


def test_a_long_key_and_policy_are_not_kept() -> None:
    places = KnownPlaces()

    places.keep(entity(), "K", "p" * MAX_LENGTH, PLACE)
    places.keep(entity(), "K", "p" * (MAX_LENGTH - 1), PLACE)

    assert places.find(entity(), "K", "p" * MAX_LENGTH) is None
    assert places.find(entity(), "K", "p" * (MAX_LENGTH - 1)) is PLACE
