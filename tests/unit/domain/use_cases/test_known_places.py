"""Places of allowed requests are remembered, and reveal nothing to other callers."""

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

    places.keep(entity(), "KEY", None, "policy", PLACE)

    assert places.find(entity(), "KEY", None, "policy") is PLACE


def test_another_key_field_policy_subject_or_issuer_finds_nothing() -> None:
    places = KnownPlaces()

    places.keep(entity(), "KEY", None, "policy", PLACE)

    assert places.find(entity(), "OTHER", None, "policy") is None
    assert places.find(entity(), "KEY", "field", "policy") is None
    assert places.find(entity(), "KEY", None, "other") is None
    assert places.find(entity(subject="MB"), "KEY", None, "policy") is None
    assert places.find(entity(issuer="AB"), "KEY", None, "policy") is None


def test_the_least_recently_used_place_goes_first() -> None:
    places = KnownPlaces(capacity=2)
    places.keep(entity(), "FIRST", None, "", PLACE)
    places.keep(entity(), "SECOND", None, "", PLACE)
    places.find(entity(), "FIRST", None, "")

    places.keep(entity(), "THIRD", None, "", PLACE)

    assert places.find(entity(), "FIRST", None, "") is PLACE
    assert places.find(entity(), "SECOND", None, "") is None
    assert places.find(entity(), "THIRD", None, "") is PLACE


def test_a_long_key_field_and_policy_are_not_kept() -> None:
    places = KnownPlaces()

    places.keep(entity(), "K", None, "p" * MAX_LENGTH, PLACE)
    places.keep(entity(), "K", None, "p" * (MAX_LENGTH - 1), PLACE)
    places.keep(entity(), "K", "f", "p" * (MAX_LENGTH - 1), PLACE)

    assert places.find(entity(), "K", "f", "p" * (MAX_LENGTH - 1)) is None
    assert places.find(entity(), "K", None, "p" * MAX_LENGTH) is None
    assert places.find(entity(), "K", None, "p" * (MAX_LENGTH - 1)) is PLACE
