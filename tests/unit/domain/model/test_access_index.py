"""Rules found by who asks decide as the rules themselves do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.model.access import AccessRequest
from domain.model.access_index import IndexedRules
from domain.model.access_rules import AccessRules, Denial, EntityPattern, Grant, SecretPattern
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.patterns import PathPattern, TextPattern
from domain.model.reference import NO_PROPERTIES, SecretLocation

ISSUERS = st.sampled_from([AccountKey("A1"), AccountKey("A2"), AccountKey("A3")])
SUBJECTS = st.sampled_from([SubjectKey("M1"), SubjectKey("M2"), SubjectKey("M3")])
NAMES = st.none() | st.sampled_from(["shop", "mail"])
PATHS = st.sampled_from(["/a", "/b"])
PATTERNS = st.builds(
    EntityPattern,
    issuer=ISSUERS,
    subjects=st.none() | st.frozensets(SUBJECTS, max_size=2),
    names=st.none() | st.just((TextPattern("shop"),)),
)
GRANTS = st.builds(
    Grant,
    name=st.sampled_from("pqrst"),
    entities=st.lists(PATTERNS, max_size=3).map(tuple),
    secrets=PATHS.map(lambda path: (SecretPattern((PathPattern(path),)),)),
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


REQUESTS = st.builds(request, ISSUERS, SUBJECTS, NAMES, PATHS)


@given(RULES, REQUESTS)
def test_an_index_changes_no_decision(rules: AccessRules, asked: AccessRequest) -> None:
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
