"""The policy file: what it says."""

from __future__ import annotations

import pytest

from adapters.access_policy.document import read_policy
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.identity import IdentityKind
from domain.model.patterns import PathPattern, TextPattern
from tests.unit.adapters.access_policy.policies import (
    COMPONENT,
    FULL,
    GOOD,
    HASH,
    HOST,
    OTHER_TEAM,
    PROVIDER,
    TEAM,
    request,
)


def test_everything_a_file_can_say_becomes_rules() -> None:
    document = read_policy(FULL.encode())

    assert document.rules == AccessRules(
        issuers=frozenset({TEAM, OTHER_TEAM}),
        grants=(
            Grant(
                name="billing",
                entities=(
                    EntityPattern(TEAM, subjects=frozenset({COMPONENT})),
                    EntityPattern(
                        OTHER_TEAM,
                        subjects=frozenset({COMPONENT, PROVIDER}),
                        kinds=frozenset({IdentityKind.COMPONENT, IdentityKind.PROVIDER}),
                        names=(TextPattern("payments-*"),),
                        tags=(TextPattern("prod"), TextPattern("no")),
                        min_revision=3,
                        hashes=frozenset({HASH}),
                        max_token_age=30 * 86400.0,
                    ),
                ),
                secrets=(
                    SecretPattern(
                        paths=(PathPattern("/payments/**"), PathPattern("/a")),
                        backends=frozenset({"infisical"}),
                        fields=frozenset({"user", ""}),
                        versions="latest",
                        properties={
                            "environment": frozenset({"prod", "010"}),
                            "path": frozenset({""}),
                        },
                    ),
                    SecretPattern((PathPattern("/b"),)),
                    SecretPattern((PathPattern("/c"),), versions=frozenset({"3", "4"})),
                ),
                applications=(TextPattern("shop"),),
                hosts=frozenset({HOST}),
                accounts=frozenset({"HOSTS"}),
                users=frozenset({"host-1"}),
            ),
        ),
        denials=(
            Denial("no masters", paths=(PathPattern("/master/**"),)),
            Denial("no importers", (EntityPattern(TEAM, names=(TextPattern("importer"),)),)),
        ),
        revoked_subjects=frozenset({PROVIDER}),
        revoked_tokens=frozenset({"abc", "0017"}),
    )
    assert document.issuers == {TEAM: "team", OTHER_TEAM: "other team"}
    lines = FULL.splitlines()
    assert {name: lines[line - 1] for name, line in document.lines.items()} == {
        name: f"  - name: {name}" for name in ("billing", "no masters", "no importers")
    }


def test_a_star_as_name_means_entities_without_a_name_too() -> None:
    text = GOOD.replace(f"subject: {COMPONENT}", 'names: ["*"]')

    assert read_policy(text.encode()).rules.decide(request(name=None)).allowed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"\n      - issuer: team\n        subject: {COMPONENT}", " []"),
        ('\n      - keys: ["/payments/**"]', " []"),
        ('keys: ["/payments/**"]', "keys: []"),
        ('keys: ["/payments/**"]', 'keys: ["/payments/**"]\n        fields: []'),
        (f"subject: {COMPONENT}", "subjects: []"),
        ("    secrets:", "    hosts: []\n    secrets:"),
    ],
)
def test_an_empty_list_grants_nothing(old: str, new: str) -> None:
    assert read_policy(GOOD.encode()).rules.decide(request()).allowed
    assert old in GOOD
    assert not read_policy(GOOD.replace(old, new).encode()).rules.decide(request()).allowed


def test_a_file_may_trust_and_grant_nothing() -> None:
    rules = read_policy(b"version: 1\nissuers: {}\ngrants: []\n").rules

    assert rules == AccessRules(frozenset(), ())


def test_a_byte_order_mark_and_crlf_are_no_mistake() -> None:
    text = "\ufeff" + GOOD.replace("\n", "\r\n")

    assert read_policy(text.encode()).rules == read_policy(GOOD.encode()).rules
