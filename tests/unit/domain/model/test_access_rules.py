"""What a grant must name for a request to be allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.model.access import Decision
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Grant
from domain.model.identity import AccountKey, Caller, IdentityKind
from domain.model.patterns import PathPattern
from domain.model.reference import SecretLocation
from domain.model.transport import Requester
from tests.unit.domain.model.access_rules_rig import (
    ENTITIES,
    ENTITY,
    HOST,
    NOW,
    REQUEST,
    SECRETS,
    STRANGER,
    TEAM,
    entity,
    grant,
    rules,
    texts,
)


def test_a_grant_allows_what_it_names() -> None:
    assert rules(grant()).decide(REQUEST) == Decision(
        allowed=True, reason="granted", grant="billing", knows_of=False
    )


EXACT, COVERING = PathPattern("/payments/API_KEY"), PathPattern("/payments/*")


@pytest.mark.parametrize(
    ("secrets", "knows_of"),
    [
        ([SecretPattern((EXACT,))], True),
        ([SecretPattern((COVERING,))], False),
        ([SecretPattern((PathPattern("/payments/API_*"), PathPattern("/**")))], False),
        ([SecretPattern((COVERING, EXACT))], True),
        ([SecretPattern((COVERING,)), SecretPattern((EXACT,))], True),
        ([SecretPattern((COVERING,)), SecretPattern((EXACT,), versions=frozenset({"1"}))], False),
        ([SecretPattern((COVERING,)), SecretPattern((PathPattern("/payments/OTHER"),))], False),
    ],
)
def test_a_caller_knows_of_a_secret_that_a_grant_writes_out(
    secrets: list[SecretPattern], *, knows_of: bool
) -> None:
    in_one_grant = rules(Grant("billing", (ENTITIES,), tuple(secrets)))
    in_several = AccessRules(
        frozenset({TEAM}), tuple(Grant("billing", (ENTITIES,), (one,)) for one in secrets)
    )

    expected = Decision(allowed=True, reason="granted", grant="billing", knows_of=knows_of)
    assert in_one_grant.decide(REQUEST) == in_several.decide(REQUEST) == expected


def test_without_grants_every_request_is_refused() -> None:
    assert AccessRules(frozenset({TEAM}), ()).decide(REQUEST) == Decision(
        allowed=False, reason="no_grants"
    )


def test_an_unlisted_issuer_is_refused_whatever_a_grant_says() -> None:
    granted_to_stranger = rules(grant(EntityPattern(STRANGER)))

    decision = granted_to_stranger.decide(entity(issuer=STRANGER))

    assert decision == Decision(allowed=False, reason="issuer_not_trusted")


@pytest.mark.parametrize(
    ("pattern", "good", "bad", "reason"),
    [
        (
            {"subjects": frozenset({"MBILLING"})},
            {},
            {"subject": "MOTHER"},
            "entity_subject_differs",
        ),
        (
            {"kinds": frozenset({IdentityKind.COMPONENT})},
            {},
            {"kind": IdentityKind.PROVIDER},
            "entity_kind_differs",
        ),
        ({"names": texts("bill*")}, {}, {"name": "shop"}, "entity_name_differs"),
        ({"names": texts("bill*")}, {}, {"name": None}, "entity_name_differs"),
        ({"tags": texts("staging", "prod")}, {}, {"tags": ("dev",)}, "entity_tag_missing"),
        ({"tags": texts("prod")}, {}, {"tags": ()}, "entity_tag_missing"),
        ({"min_revision": 3}, {"revision": 4}, {"revision": 2}, "entity_revision_too_old"),
        ({"min_revision": 3}, {}, {"revision": None}, "entity_revision_too_old"),
        ({"hashes": frozenset({"ABCD"})}, {}, {"artifact_hash": "EF"}, "entity_hash_differs"),
        ({"hashes": frozenset({"ABCD"})}, {}, {"artifact_hash": None}, "entity_hash_differs"),
        (
            {"max_token_age": 3600.0},
            {},
            {"issued_at": int(NOW) - 3601},
            "entity_token_too_old",
        ),
        ({}, {}, {"issuer": "AOTHER"}, "entity_issuer_differs"),
    ],
)
def test_each_condition_on_the_entity_is_judged(
    pattern: dict[str, object], good: dict[str, object], bad: dict[str, object], reason: str
) -> None:
    named = EntityPattern(TEAM, **pattern)  # type: ignore[arg-type]  # test data
    both = AccessRules(frozenset({TEAM, AccountKey("AOTHER")}), (grant(named),))

    assert both.decide(entity(**good)).allowed
    assert both.decide(entity(**bad)) == Decision(allowed=False, reason=reason, grant="billing")


@pytest.mark.parametrize(
    ("conditions", "bad", "reason"),
    [
        ({"applications": texts("shop")}, {"caller": Caller(ENTITY, HOST)}, "application_differs"),
        ({"applications": ()}, {}, "application_differs"),
        ({"hosts": frozenset({"NOTHER"})}, {}, "host_differs"),
        ({"accounts": frozenset({"HOSTS"})}, {"requester": None}, "account_differs"),
        ({"accounts": frozenset({"HOSTS"})}, {"requester": Requester("X")}, "account_differs"),
        ({"users": frozenset({"host-user"})}, {"requester": Requester("HOSTS")}, "user_differs"),
        ({"users": frozenset({"host-user"})}, {"requester": None}, "user_differs"),
    ],
)
def test_each_condition_on_the_surroundings_is_judged(
    conditions: dict[str, object], bad: dict[str, object], reason: str
) -> None:
    named = replace(grant(), **conditions)  # type: ignore[arg-type]  # test data

    decision = rules(named).decide(REQUEST._replace(**bad))  # type: ignore[arg-type]  # test data

    assert decision == Decision(allowed=False, reason=reason, grant="billing")


def test_surroundings_that_hold_allow() -> None:
    named = replace(
        grant(),
        applications=texts("shop"),
        hosts=frozenset({"NHOST"}),
        accounts=frozenset({"HOSTS"}),
        users=frozenset({"host-user"}),
    )

    assert rules(named).decide(REQUEST).allowed


@pytest.mark.parametrize(
    ("conditions", "good", "bad", "reason"),
    [
        ({"backends": frozenset({"infisical"})}, {}, {"backend": "vault"}, "backend_not_granted"),
        ({}, {}, {"location": SecretLocation("/admin/API_KEY")}, "key_not_granted"),
        ({}, {}, {"location": None}, "key_not_granted"),
        (
            {"fields": frozenset({"user"})},
            {"field": "user"},
            {"field": "pass"},
            "field_not_granted",
        ),
        ({"fields": frozenset({"user"})}, {"field": "user"}, {"field": None}, "field_not_granted"),
        ({"versions": "latest"}, {}, {"version": "1"}, "version_not_granted"),
        (
            {"versions": frozenset({"3"})},
            {"version": "3"},
            {"version": None},
            "version_not_granted",
        ),
        ({"versions": frozenset()}, None, {"version": None}, "version_not_granted"),
        ({"fields": frozenset()}, None, {}, "field_not_granted"),
        ({"backends": frozenset()}, None, {}, "backend_not_granted"),
        ({"paths": ()}, None, {}, "key_not_granted"),
    ],
)
def test_each_condition_on_the_secret_is_judged(
    conditions: dict[str, object],
    good: dict[str, object] | None,
    bad: dict[str, object],
    reason: str,
) -> None:
    named = rules(grant(secrets=replace(SECRETS, **conditions)))  # type: ignore[arg-type]  # test data

    if good is not None:
        assert named.decide(REQUEST._replace(**good)).allowed  # type: ignore[arg-type]  # test data
    assert named.decide(REQUEST._replace(**bad)) == Decision(  # type: ignore[arg-type]  # test data
        allowed=False, reason=reason, grant="billing"
    )
