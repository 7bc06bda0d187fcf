"""Grants, denials and the reasons for each decision."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.access import AccessRequest, Decision
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.patterns import PathPattern, TextPattern
from domain.model.reference import SecretLocation
from domain.model.transport import Requester

TEAM, STRANGER = AccountKey("ATEAM"), AccountKey("ASTRANGER")
NOW = 1_800_000_000.0
ENTITY = Claims(
    IdentityKind.COMPONENT,
    SubjectKey("MBILLING"),
    TEAM,
    "token-1",
    int(NOW) - 3600,
    name="billing",
    revision=3,
    artifact_hash="ABCD",
    tags=("prod", "eu"),
)
HOST = Claims(IdentityKind.HOST, SubjectKey("NHOST"), STRANGER, "token-2", int(NOW))
REQUEST = AccessRequest(
    caller=Caller(ENTITY, HOST, "shop"),
    location=SecretLocation("/payments/API_KEY", (("environment", "prod"),)),
    field=None,
    version=None,
    properties=MappingProxyType({}),
    backend="infisical",
    now=NOW,
    requester=Requester("HOSTS", "host-user"),
)
ENTITIES = EntityPattern(TEAM)
SECRETS = SecretPattern((PathPattern("/payments/*"),))


def rules(grant: Grant, **more: object) -> AccessRules:
    return AccessRules(frozenset({TEAM}), (grant,), **more)  # type: ignore[arg-type]  # test data


def grant(entity: EntityPattern = ENTITIES, secrets: SecretPattern = SECRETS) -> Grant:
    return Grant("billing", (entity,), (secrets,))


def texts(*patterns: str) -> tuple[TextPattern, ...]:
    return tuple(TextPattern(pattern) for pattern in patterns)


def entity(**changes: object) -> AccessRequest:
    changed = replace(ENTITY, **changes)  # type: ignore[arg-type]  # test data
    return REQUEST._replace(caller=Caller(changed, HOST, "shop"))


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


def with_properties(**properties: str) -> AccessRequest:
    return REQUEST._replace(properties=properties)


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


PROPERTY_MAPS = st.dictionaries(
    st.sampled_from(["environment", "path", "encoding"]), st.sampled_from(["a", "b"]), max_size=3
)
SOME_GRANTS = st.builds(
    lambda name, paths, properties: Grant(
        name,
        (ENTITIES,),
        (
            SecretPattern(
                tuple(map(PathPattern, paths)),
                properties={key: frozenset({value}) for key, value in properties.items()},
            ),
        ),
    ),
    st.sampled_from(["one", "two", "three"]),
    st.lists(st.sampled_from(["/payments/*", "/admin/*", "/**", "/payments/API_KEY"]), max_size=2),
    PROPERTY_MAPS,
)


@given(st.lists(SOME_GRANTS, max_size=4), PROPERTY_MAPS, PROPERTY_MAPS)
def test_naming_one_more_property_never_turns_a_refusal_into_a_permission(
    grants: list[Grant], named: dict[str, str], more: dict[str, str]
) -> None:
    those = AccessRules(frozenset({TEAM}), tuple(grants))
    fewer = those.decide(with_properties(**named))
    further = those.decide(with_properties(**{**more, **named}))

    assert fewer.allowed or not further.allowed


@given(st.lists(SOME_GRANTS, max_size=4), PROPERTY_MAPS, st.randoms())
def test_the_order_of_grants_does_not_matter(
    grants: list[Grant], named: dict[str, str], random: object
) -> None:
    shuffled = list(grants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    request = with_properties(**named)

    assert AccessRules(frozenset({TEAM}), tuple(grants)).decide(request) == AccessRules(
        frozenset({TEAM}), tuple(shuffled)
    ).decide(request)


@given(st.lists(SOME_GRANTS, max_size=3), SOME_GRANTS, PROPERTY_MAPS)
def test_one_more_denial_or_one_grant_less_never_allows_more(
    grants: list[Grant], extra: Grant, named: dict[str, str]
) -> None:
    request = with_properties(**named)
    fewer = AccessRules(frozenset({TEAM}), tuple(grants))
    more = AccessRules(frozenset({TEAM}), (*grants, extra))
    denied = replace(more, denials=(Denial("no", paths=(PathPattern("/payments/*"),)),))

    assert more.decide(request).allowed or not fewer.decide(request).allowed
    assert not denied.decide(request).allowed
