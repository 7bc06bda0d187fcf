"""Properties that grants list, denials, and what is revoked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.model.access import Decision
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.patterns import PathPattern
from domain.model.reference import SecretLocation
from tests.unit.domain.model.access_rules_rig import (
    ENTITIES,
    REQUEST,
    SECRETS,
    TEAM,
    grant,
    rules,
    texts,
    with_properties,
)


def test_a_property_that_a_grant_does_not_list_is_refused_even_at_its_default() -> None:
    assert not rules(grant()).decide(with_properties(environment="prod")).allowed


def test_a_listed_property_may_have_the_listed_values() -> None:
    listed = grant(secrets=replace(SECRETS, properties={"encoding": frozenset({"base64"})}))

    assert rules(listed).decide(with_properties(encoding="base64")).allowed
    assert rules(listed).decide(REQUEST).allowed
    assert not rules(listed).decide(with_properties(encoding="hex")).allowed


def test_a_listed_property_that_says_where_holds_for_the_default_too() -> None:
    staging = grant(secrets=replace(SECRETS, properties={"environment": frozenset({"staging"})}))

    assert not rules(staging).decide(REQUEST).allowed
    in_staging = with_properties(environment="staging")._replace(
        location=SecretLocation("/payments/API_KEY", (("environment", "staging"),)),
    )
    assert rules(staging).decide(in_staging).allowed


def test_a_policy_that_could_not_be_read_is_refused() -> None:
    assert not rules(grant()).decide(REQUEST._replace(properties=None)).allowed


@pytest.mark.parametrize(
    "denial",
    [
        Denial("no", paths=(PathPattern("/payments/API_*"),)),
        Denial("no", entities=(EntityPattern(TEAM, names=texts("billing")),)),
        Denial("no", (ENTITIES,), (PathPattern("/**"),)),
        Denial("no"),
    ],
)
def test_a_denial_beats_every_grant(denial: Denial) -> None:
    assert rules(grant(), denials=(denial,)).decide(REQUEST) == Decision(
        allowed=False, reason="denied_by_rule", grant="no"
    )


@pytest.mark.parametrize(
    "denial",
    [
        Denial("no", paths=(PathPattern("/admin/*"),)),
        Denial("no", paths=()),
        Denial("no", entities=()),
        Denial("no", (EntityPattern(TEAM, names=texts("other")),), (PathPattern("/**"),)),
    ],
)
def test_a_denial_of_something_else_changes_nothing(denial: Denial) -> None:
    assert rules(grant(), denials=(denial,)).decide(REQUEST).allowed


@pytest.mark.parametrize(
    ("revoked", "reason"),
    [
        ({"revoked_subjects": frozenset({"MBILLING"})}, "subject_revoked"),
        ({"revoked_tokens": frozenset({"token-1"})}, "token_revoked"),
    ],
)
def test_the_revoked_are_refused(revoked: dict[str, object], reason: str) -> None:
    assert rules(grant(), **revoked).decide(REQUEST) == Decision(allowed=False, reason=reason)


@pytest.mark.parametrize(
    "empty",
    [replace(grant(), entities=()), replace(grant(), secrets=())],
    ids=["entities", "secrets"],
)
def test_an_empty_list_grants_nothing(empty: Grant) -> None:
    assert rules(empty).decide(REQUEST).reason == "nothing_listed"


def test_the_reason_given_is_that_of_the_nearest_grant() -> None:
    far = replace(grant(EntityPattern(TEAM, names=texts("other"))), name="far")
    near = replace(grant(secrets=SecretPattern((PathPattern("/admin/*"),))), name="near")
    decision = AccessRules(frozenset({TEAM}), (far, near)).decide(REQUEST)

    assert (decision.grant, decision.reason) == ("near", "key_not_granted")
