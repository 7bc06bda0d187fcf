"""Workloads of wasmCloud 2 in the policy file: read, refused, explained, drafted."""

from __future__ import annotations

import json

import pytest

from adapters.access_policy.document import read_policy
from adapters.access_policy.draft_from_audit import AuditDraft
from adapters.access_policy.explain import explain
from adapters.access_policy.summary import denials_in_words, grants_in_words
from domain.model.workload import Workload
from tests.support.audit_text import audit_line
from tests.unit.adapters.access_policy.policies import TEAM, problems_in, request
from tests.unit.adapters.access_policy.test_policy_draft_from_audit import event_of

CART = Workload("prod", "shop", "cart")
GOOD = """\
version: 1
issuers: {}
grants:
  - name: shop
    workloads:
      - environments: [prod, "stag*"]
        namespaces: [shop]
        names: [cart, "check-*"]
      - environments: ["*"]
        names: [cart]
    secrets:
      - keys: ["/payments/**"]
denials:
  - name: no importers
    workloads: [{environments: ["*"], names: [importer]}]
"""


@pytest.mark.parametrize(
    ("workload", "allowed"),
    [
        (CART, True),
        (Workload("staging", "shop", "check-out"), True),
        (Workload("qa", "mail", "cart"), True),
        (Workload("qa", "mail", "check-out"), False),
        (Workload("prod", "shop", "importer"), False),
    ],
)
def test_workloads_are_read_and_compared(workload: Workload, *, allowed: bool) -> None:
    rules = read_policy(GOOD.encode()).rules

    assert rules.decide(request()._replace(caller=workload)).allowed is allowed


def grant(members: str) -> str:
    return f"version: 1\nissuers: {{t: {TEAM}}}\ngrants: [{{name: g, {members}}}]\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            grant("secrets: []"),
            'line 3, column 10: grants[0] "g": neither "entities" nor "workloads"',
        ),
        (
            grant("workloads: [{names: [a]}], secrets: []"),
            'line 3, column 32: grants[0] "g": workloads[0]: the member "environments" is missing',
        ),
        (
            grant("workloads: [{environments: prod}], secrets: []"),
            'grants[0] "g": workloads[0].environments: this has another form; write a list',
        ),
        (
            grant('workloads: [{environments: ["a**"]}], secrets: []'),
            "this is no pattern",
        ),
        (
            grant("workloads: [{environment: [prod]}], secrets: []"),
            'no such member is known here; use environments, namespaces, names. Did you mean "env',
        ),
        (
            grant("workloads: [{environments: [p], tags: [a]}], secrets: []"),
            "no such member is known here; use environments, namespaces, names.",
        ),
        *(
            (
                grant(f"workloads: [{{environments: [p]}}], {condition}, secrets: []"),
                (
                    f"line 3, column {56 + len(condition.partition(':')[0])}: "
                    f'grants[0] "g": {condition.partition(":")[0]}: this looks at what '
                    "comes with a signed token"
                ),
            )
            for condition in ("applications: [a]", "hosts: []", "accounts: [A]", "users: [u]")
        ),
        (
            "version: 1\nissuers: {}\ngrants: []\ndenials: [{name: d, workloads: []}]",
            "an empty list would deny nothing",
        ),
        (
            (
                "version: 1\nissuers: {}\ngrants: []\n"
                "denials: [{name: d, workloads: [{environments: [a], names: []}]}]"
            ),
            "an empty list would deny nothing",
        ),
        (
            "version: 1\nissuers: {}\ngrants: []\ndenials: [{name: d}]",
            "name entities, workloads or keys",
        ),
    ],
)
def test_a_mistake_says_where_it_is_and_what_to_write(text: str, problem: str) -> None:
    assert any(problem in found for found in problems_in(text)), problems_in(text)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ("workloads: [], secrets: [{keys: [/a]}]", "the list of workloads is empty"),
        (
            "workloads: [{environments: []}], secrets: [{keys: [/a]}]",
            "the list of environments is empty",
        ),
        (
            "workloads: [{environments: [a], names: []}], secrets: [{keys: [/a]}]",
            "the list of names is empty",
        ),
    ],
)
def test_a_rule_that_matches_no_workload_is_warned_of(members: str, why: str) -> None:
    warnings = read_policy(grant(members).encode()).warnings

    assert [str(warning) for warning in warnings] == [
        f'line 3: grants "g": this rule can match nothing: {why}'
    ]


def test_a_rule_that_can_match_a_workload_is_not_warned_of() -> None:
    both = "entities: [], workloads: [{environments: [a]}], secrets: [{keys: [/a]}]"

    assert read_policy(GOOD.encode()).warnings == ()
    assert read_policy(grant(both).encode()).warnings == ()


def test_workloads_are_told_in_words() -> None:
    document = read_policy(GOOD.encode())

    assert grants_in_words(document)[0].who == (
        "environment prod | stag*, namespace shop, workload cart | check-*\n"
        "or environment *, workload cart"
    )
    assert denials_in_words(document)[0].who == "environment *, workload importer"


def test_a_refusal_names_the_part_that_differs() -> None:
    asked = request()._replace(caller=Workload("qa", "mail", "till"))

    _, text = explain(read_policy(GOOD.encode()), asked)

    assert text.startswith(
        'Refused: workload_name_differs.\nThe request has workload "till".\nThe nearest grant is '
    )


def test_a_draft_grants_exactly_the_workloads_seen() -> None:
    draft = AuditDraft()
    seen = request()._replace(caller=CART)
    event = event_of(seen)
    event.operation = "workload.read"
    draft.take([audit_line(event), audit_line(event_of(request()))])

    text = draft.text().replace("FILL-IN", "team")
    rules = read_policy(text.encode()).rules

    assert draft.used == 2
    assert rules.decide(seen).allowed
    assert rules.decide(request()).allowed
    for other in ("qa", "shop", "cart"), ("prod", "mail", "cart"), ("prod", "shop", "till"):
        assert not rules.decide(request()._replace(caller=Workload(*other))).allowed


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("workload_name", "a*", 'requests of a workload with "*" in its name'),
        ("workload_namespace", None, "broken lines"),
        ("workload_environment", "", "broken lines"),
        ("workload_name", "a…", "requests of which the log holds only a part, since a text was"),
    ],
)
def test_a_record_that_names_no_workload_is_left_out(
    member: str, value: str | None, reason: str
) -> None:
    event = event_of(request()._replace(caller=CART))
    event.operation = "workload.read"
    record = json.loads(audit_line(event)) | {member: value}
    draft = AuditDraft()
    draft.take([json.dumps(record).encode()])

    assert draft.used == 0
    assert next(iter(draft.left_out)).startswith(reason)
