"""Rules on workloads of wasmCloud 2, beside those on signed entities."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.access import AccessRequest
from domain.model.access_modes import AppliedPolicy
from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.patterns import PathPattern
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.model.workload import Workload
from tests.support.workloads import CART, texts, workload_grant, workload_rules

TEAM = AccountKey("ATEAM")
ENTITY = Claims(IdentityKind.COMPONENT, SubjectKey("MCART"), TEAM, "1", 0, name="cart")
HOST = Claims(IdentityKind.HOST, SubjectKey("NHOST"), TEAM, "2", 0)
EVERY_ENTITY, ALL = EntityPattern(TEAM), SecretPattern((PathPattern("/**"),))


def asked(caller: Caller | Workload = CART, path: str = "/shop/DB") -> AccessRequest:
    return AccessRequest(
        caller=caller,
        location=SecretLocation(path),
        field=None,
        version=None,
        properties=NO_PROPERTIES,
        backend="infisical",
        now=0.0,
    )


SIGNED = asked(Caller(ENTITY, HOST, "shop"))


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (CART, "granted"),
        (replace(CART, environment="qa"), "workload_environment_differs"),
        (replace(CART, namespace="mail"), "workload_namespace_differs"),
        (replace(CART, name="till"), "workload_name_differs"),
    ],
)
def test_each_part_of_a_workload_is_compared(workload: Workload, reason: str) -> None:
    rules = workload_rules(workload_grant("/shop/*", names=("c*", "x")))

    assert rules.decide(asked(workload)).reason == reason


def test_what_a_pattern_leaves_out_is_not_looked_at() -> None:
    grant = Grant("g", (), (ALL,), (WorkloadPattern(texts("prod")),))

    assert workload_rules(grant).decide(asked(Workload("prod", "any", "other"))).allowed


def test_a_grant_to_entities_lets_no_workload_through() -> None:
    rules = AccessRules(frozenset({TEAM}), (Grant("g", (EVERY_ENTITY,), (ALL,)),))

    assert rules.decide(SIGNED).allowed
    assert rules.decide(asked()).reason == "workload_not_named"


def test_a_grant_to_workloads_lets_no_entity_through() -> None:
    rules = replace(workload_rules(), issuers=frozenset({TEAM}))

    assert rules.decide(asked()).allowed
    assert rules.decide(SIGNED).reason == "entity_issuer_differs"


def test_one_grant_may_name_both() -> None:
    grant = Grant("g", (EVERY_ENTITY,), (ALL,), (WorkloadPattern(texts("*")),))
    rules = AccessRules(frozenset({TEAM}), (grant,))

    assert rules.decide(SIGNED).allowed
    assert rules.decide(asked()).allowed


def test_a_pattern_matches_no_caller_of_the_other_kind() -> None:
    assert list(EVERY_ENTITY.conditions(asked())) == [("entity_issuer_differs", False)]
    assert list(WorkloadPattern(texts("*")).conditions(SIGNED)) == [
        ("workload_environment_differs", False)
    ]


def test_no_workload_meets_a_condition_on_tokens() -> None:
    for condition in (
        {"applications": texts("*")},
        {"hosts": frozenset({"NHOST"})},
        {"accounts": frozenset({"A"})},
        {"users": frozenset({"u"})},
    ):
        grant = replace(workload_grant("/**"), **condition)

        assert not workload_rules(grant).decide(asked()).allowed


def test_an_untrusted_issuer_and_a_revoked_key_say_nothing_about_workloads() -> None:
    rules = replace(workload_rules(), revoked_subjects=frozenset({SubjectKey("cart")}))

    assert rules.decide(asked()).allowed


PATHS, WORKLOADS = (PathPattern("/shop/*"),), (WorkloadPattern(texts("*"), None, texts("cart")),)


@pytest.mark.parametrize(
    ("denial", "denies_workload", "denies_entity"),
    [
        (Denial("d", paths=PATHS), True, True),
        (Denial("d", paths=(PathPattern("/other"),)), False, False),
        (Denial("d", workloads=WORKLOADS), True, False),
        (Denial("d", workloads=WORKLOADS, paths=(PathPattern("/other"),)), False, False),
        (Denial("d", entities=(EVERY_ENTITY,)), False, True),
        (Denial("d", entities=(EVERY_ENTITY,), workloads=WORKLOADS), True, True),
        (Denial("d", workloads=(WorkloadPattern(texts("qa")),)), False, False),
    ],
)
def test_a_denial_means_whom_it_names(
    denial: Denial, denies_workload: bool, denies_entity: bool
) -> None:
    grant = Grant("g", (EVERY_ENTITY,), (ALL,), (WorkloadPattern(texts("*")),))
    rules = AccessRules(frozenset({TEAM}), (grant,), (denial,))

    assert rules.decide(asked()).allowed is not denies_workload
    assert rules.decide(SIGNED).allowed is not denies_entity


def test_a_requester_is_required_of_what_a_transport_brings_only() -> None:
    policy = AppliedPolicy(workload_rules(), requires_requester=True)

    assert policy.decide(asked()).allowed
    assert policy.decide(SIGNED).reason == "requester_unknown"


@given(
    st.builds(Workload, st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)),
    st.lists(st.sampled_from(["*", "a*", "prod"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(["*", "b", "*c"]), max_size=2).map(tuple),
)
def test_rules_of_entities_alone_never_match_a_workload(
    workload: Workload, names: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    pattern = EntityPattern(AccountKey(workload.environment), names=texts(*names))
    other = EntityPattern(AccountKey(""), tags=texts(*tags) or None)
    rules = AccessRules(
        frozenset({AccountKey(""), AccountKey(workload.environment)}),
        (Grant("g", (pattern, other, EVERY_ENTITY), (ALL,)),),
    )

    assert not rules.decide(asked(workload)).allowed
