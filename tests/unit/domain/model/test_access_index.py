"""Rules found by who asks decide as the rules themselves do."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from domain.model.access import AccessRequest
from domain.model.access_index import MAX_COMPARED, MAX_PLACES, IndexedRules
from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.patterns import PathPattern, TextPattern
from domain.model.reference import NO_PROPERTIES, SecretLocation
from domain.model.workload import Workload

if TYPE_CHECKING:
    from types import FrameType

ISSUERS = st.sampled_from([AccountKey("A1"), AccountKey("A2"), AccountKey("A3")])
SUBJECTS = st.sampled_from([SubjectKey("M1"), SubjectKey("M2"), SubjectKey("M3")])
NAMES = st.none() | st.sampled_from(["shop", "mail", "M1"])
PATHS = st.sampled_from(["/a", "/b", "/a/b", "/a/b/c", "/"])
PATH_PATTERNS = st.sampled_from(["/a", "/b", "/a/*", "/a/b/*", "/**", "/a*", "/*/b", "/a/**/c"])
PATTERNS = st.builds(
    EntityPattern,
    issuer=ISSUERS,
    subjects=st.none() | st.frozensets(SUBJECTS, max_size=2),
    names=st.none()
    | st.lists(st.sampled_from(["shop", "sh*", "mail", "M1"]).map(TextPattern)).map(tuple),
)
WORKLOADS = st.builds(
    WorkloadPattern,
    environments=st.lists(st.sampled_from(["prod", "*"]).map(TextPattern), max_size=2).map(tuple),
    names=st.none() | st.lists(st.sampled_from(["shop", "sh*"]).map(TextPattern)).map(tuple),
)
GRANTS = st.builds(
    Grant,
    name=st.sampled_from("pqrst"),
    entities=st.lists(PATTERNS, max_size=3).map(tuple),
    workloads=st.none() | st.lists(WORKLOADS, max_size=2).map(tuple),
    secrets=st.lists(
        st.lists(PATH_PATTERNS.map(PathPattern)).map(lambda paths: SecretPattern(tuple(paths))),
        max_size=2,
    ).map(tuple),
)
RULES = st.builds(
    AccessRules,
    issuers=st.frozensets(ISSUERS),
    grants=st.lists(GRANTS, max_size=5).map(tuple),
    denials=st.sampled_from([(), (Denial("no", paths=(PathPattern("/b"),)),)]),
    revoked_subjects=st.frozensets(SUBJECTS, max_size=1),
)


def request(issuer: AccountKey, subject: SubjectKey, name: str | None, path: str) -> AccessRequest:
    component = Claims(IdentityKind.COMPONENT, subject, issuer, "1", 0, name=name)
    host = Claims(IdentityKind.HOST, SubjectKey("N1"), AccountKey("A9"), "2", 0)
    return AccessRequest(
        caller=Caller(component, host),
        location=SecretLocation(path),
        field=None,
        version=None,
        properties=NO_PROPERTIES,
        backend="infisical",
        now=0,
    )


def workload_request(environment: str, name: str, path: str) -> AccessRequest:
    asked = request(AccountKey("A1"), SubjectKey("M1"), None, path)
    return asked._replace(caller=Workload(environment, "ns", name))


REQUESTS = st.builds(request, ISSUERS, SUBJECTS, NAMES, PATHS) | st.builds(
    workload_request, st.sampled_from(["prod", "qa"]), st.sampled_from(["shop", "mail"]), PATHS
)


@given(RULES, REQUESTS)
def test_an_index_changes_no_decision(rules: AccessRules, asked: AccessRequest) -> None:
    assert IndexedRules(rules).decide(asked) == rules.decide(asked)


def test_a_grant_that_no_entity_can_match_may_be_the_nearest_to_a_refused_request() -> None:
    issuer = AccountKey("A1")
    nameless = Grant("nameless", (EntityPattern(issuer, names=()),), ())
    named = Grant("named", (EntityPattern(issuer, names=(TextPattern("shop"),)),), ())
    rules = AccessRules(frozenset({issuer}), (nameless, named))
    asked = request(issuer, SubjectKey("M1"), None, "/a")

    assert IndexedRules(rules).decide(asked) == rules.decide(asked)


def test_a_grant_to_the_subject_and_one_to_its_name_are_both_found() -> None:
    issuer, subject = AccountKey("A1"), SubjectKey("M1")
    by_key = Grant(
        "by key",
        (EntityPattern(issuer, subjects=frozenset({subject})),),
        (SecretPattern((PathPattern("/a"),)),),
    )
    by_name = Grant(
        "by name",
        (EntityPattern(issuer, names=(TextPattern("shop"),)),),
        (SecretPattern((PathPattern("/b"),)),),
    )
    rules = IndexedRules(AccessRules(frozenset({issuer}), (by_key, by_name)))

    assert rules.decide(request(issuer, subject, "shop", "/a")).grant == "by key"
    assert rules.decide(request(issuer, subject, "shop", "/b")).grant == "by name"
    assert rules.decide(request(issuer, SubjectKey("M2"), "shop", "/b")).grant == "by name"
    assert not rules.decide(request(issuer, SubjectKey("M2"), "shop", "/a")).allowed
    assert not rules.decide(request(AccountKey("A2"), subject, "shop", "/a")).allowed


@cache
def many_grants(count: int, *, key: str = "/app-{}/*", name: str = "app-{}") -> IndexedRules:
    """Return rules that grant each of many applications its own secrets."""
    issuer = AccountKey("A1")
    grants = (
        Grant(
            f"grant {number}",
            (EntityPattern(issuer, names=(TextPattern(name.format(number)),)),),
            (SecretPattern((PathPattern(key.format(number)),)),),
        )
        for number in range(count)
    )
    return IndexedRules(AccessRules(frozenset({issuer}), tuple(grants)))


def calls_of(rules: IndexedRules, asked: AccessRequest) -> int:
    """Count the calls that one decision takes."""
    calls = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        rules.decide(asked)
    finally:
        sys.setprofile(before)
    return calls


def test_a_refusal_under_ten_times_the_grants_takes_no_more_work() -> None:
    issuer, subject = AccountKey("A1"), SubjectKey("M1")
    for name, path in (("app-1", "/app-2/KEY"), ("other", "/other/KEY"), ("app-1", "/app-1/a/b")):
        asked = request(issuer, subject, name, path)
        fewer, more = (calls_of(many_grants(count), asked) for count in (100, 1000))
        assert more == fewer


def test_grants_of_one_folder_to_many_names_are_found_by_the_name() -> None:
    shared = {"key": "/shared/KEY", "name": "app-{}"}
    asked = request(AccountKey("A1"), SubjectKey("M1"), "app-1", "/shared/KEY")

    assert many_grants(1000, **shared).decide(asked).grant == "grant 1"
    assert calls_of(many_grants(1000, **shared), asked) == calls_of(
        many_grants(100, **shared), asked
    )


def test_among_many_grants_a_refusal_names_one_that_it_is_near_to() -> None:
    asked = request(AccountKey("A1"), SubjectKey("M1"), "app-900", "/app-900/KEY")
    refused = asked._replace(backend="vault")
    rules = many_grants(1000).rules
    only_here = tuple(
        replace(grant, secrets=(replace(grant.secrets[0], backends=frozenset({"infisical"})),))
        for grant in rules.grants
    )

    decision = IndexedRules(replace(rules, grants=only_here)).decide(refused)

    assert len(only_here) > MAX_COMPARED
    assert (decision.allowed, decision.reason, decision.grant) == (
        False,
        "backend_not_granted",
        "grant 900",
    )


def test_a_grant_of_very_many_folders_is_still_found() -> None:
    issuer = AccountKey("A1")
    subjects = frozenset(SubjectKey(f"M{number}") for number in range(MAX_PLACES // 10))
    paths = tuple(PathPattern(f"/app-{number}/*") for number in range(20))
    grant = Grant("wide", (EntityPattern(issuer, subjects),), (SecretPattern(paths),))
    rules = IndexedRules(AccessRules(frozenset({issuer}), (grant,)))

    assert rules.decide(request(issuer, SubjectKey("M7"), None, "/app-7/KEY")).allowed
    assert not rules.decide(request(issuer, SubjectKey("X"), None, "/app-7/KEY")).allowed


def test_rules_that_never_change_have_one_revision() -> None:
    assert IndexedRules(AccessRules(frozenset(), ())).revision is None


def test_a_place_that_cannot_be_read_is_allowed_by_no_grant() -> None:
    grant = Grant(
        name="all",
        entities=(EntityPattern(issuer=AccountKey("A1"), subjects=None, names=None),),
        secrets=(SecretPattern((PathPattern("/**"),)),),
    )
    rules = AccessRules(issuers=frozenset({AccountKey("A1")}), grants=(grant,))
    asked = request(AccountKey("A1"), SubjectKey("M1"), None, "/a")

    assert IndexedRules(rules).decide(asked).allowed
    assert not IndexedRules(rules).decide(asked._replace(location=None)).allowed
