"""A policy file and its decisions, told to a person."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from adapters.access_policy.document import read_policy
from adapters.access_policy.explain import ADVICE, advice_on, explain, value_judged
from adapters.access_policy.summary import RuleSummary, denials_in_words, grants_in_words
from domain.model import access_conditions, access_modes, access_patterns, access_rules
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

PAGE = Path(__file__).parents[4] / "docs" / "access-policy.md"
MEMBERS = (
    *("issuer", "subject", "subjects", "names", "tags", "kinds", "min_rev", "hashes"),
    *("max_token_age", "accounts", "users", "applications", "hosts", "keys", "backends"),
    *("fields", "versions", "properties", "workloads", "environments", "namespaces"),
)
NO_VALUE = {
    "granted",
    "denied_by_rule",
    "no_grants",
    "nothing_listed",
    "requester_unknown",
    "policy_not_loaded",
    "workload_needs_policy_file",
    "workload_not_named",
}
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def test_an_allowed_request_names_its_grant_and_the_line() -> None:
    decision, text = explain(read_policy(GOOD.encode()), request())

    assert decision.allowed
    assert text == 'Allowed by the grant "billing" (line 5).'


def test_what_an_allowance_did_not_judge_is_said() -> None:
    listed = GOOD + "        properties: {environment: [prod], region: [eu]}\n      - keys: [/x]\n"
    document = read_policy((listed + "        properties: {other: [a]}\n").encode())

    _, unknown = explain(document, request())
    _, partly = explain(document, request(properties={"region": "eu"}))
    _, known = explain(document, request(scope={"environment": "prod", "region": "eu"}))

    assert "this question does not give it: environment, region." in unknown
    assert "give it: environment." in partly
    assert known.count("\n") == 0


def test_a_refusal_names_the_nearest_grant_its_condition_and_what_to_do() -> None:
    decision, text = explain(read_policy(GOOD.encode()), request("/admin/KEY"))

    assert not decision.allowed
    assert text.splitlines() == [
        "Refused: key_not_granted.",
        'The request has path "/admin/KEY".',
        'The nearest grant is "billing" (line 5); this condition of it does not hold.',
        f"What to do: {ADVICE['key_not_granted']}.",
    ]


def test_a_denial_is_named_as_one() -> None:
    denied = GOOD + "denials:\n  - name: stop\n    keys: [/payments/API_KEY]\n"

    _, text = explain(read_policy(denied.encode()), request())

    assert 'The denial is "stop" (line 12).' in text


def test_a_refusal_before_any_grant_names_none() -> None:
    _, text = explain(read_policy(GOOD.encode()), request(issuer=OTHER_TEAM))

    assert text.startswith("Refused: issuer_not_trusted.\nThe request has issuer ")
    assert "grant" not in text


def test_each_grant_says_whether_it_allows_the_request_or_what_fails() -> None:
    second = """
  - name: stock
    entities: [{issuer: team, names: ["*"]}]
    secrets: [{keys: [/payments/API_KEY], fields: [user]}]
"""
    issuer = re.search(r"issuer: (\w+)", GOOD)
    assert issuer is not None
    document = read_policy((GOOD + second.replace("issuer: team", issuer[0])).encode())

    _, text = explain(document, request(), every_grant=True)

    lines = text.splitlines()
    assert lines[1] == "Each grant:"
    assert lines[2] == '  "billing" (line 5): allows it'
    assert re.fullmatch(
        r'  "stock" \(line \d+\): field_not_granted, since the request has no field', lines[3]
    )


@pytest.mark.parametrize("reason", sorted(set(ADVICE) - NO_VALUE))
def test_every_condition_that_looks_at_a_value_names_it(reason: str) -> None:
    assert value_judged(reason, request())


@pytest.mark.parametrize("reason", sorted(NO_VALUE))
def test_a_reason_about_no_value_names_none(reason: str) -> None:
    assert value_judged(reason, request()) is None


def test_a_value_cannot_pass_for_a_line_of_the_explanation() -> None:
    value = value_judged("key_not_granted", request('/a"\nAllowed by the grant "x".'))

    assert value is not None
    assert "\n" not in value


def test_every_reason_that_rules_give_has_its_advice() -> None:
    given = set()
    for module in (access_conditions, access_patterns, access_rules, access_modes):
        given |= set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', inspect.getsource(module)))

    assert len(given) > 20
    assert given <= ADVICE.keys()


def test_an_observed_reason_has_the_advice_of_the_refusal_it_would_be() -> None:
    assert advice_on("observed_key_not_granted") == ADVICE["key_not_granted"]
    assert "docs" in advice_on("something_else")


def test_grants_and_denials_are_told_by_their_issuers_names() -> None:
    document = read_policy(FULL.encode())
    both = " | ".join(sorted((COMPONENT, PROVIDER)))

    assert grants_in_words(document) == [
        RuleSummary(
            name="billing",
            who=f"team: key {COMPONENT}\n"
            f"or other team: key {both}, named payments-*, tagged no | prod, "
            f"kind component | provider, rev ≥ 3, hash {HASH}, token at most 30d old",
            what='/a | /payments/**, field "" | user, latest version, backend infisical, '
            'environment = 010 | prod, path = ""\nor /b\nor /c, version 3 | 4',
            only_if=f"NATS account HOSTS\nNATS user host-1\napplication shop (hint)\n"
            f"host {HOST} (hint)",
        )
    ]
    assert denials_in_words(document) == [
        RuleSummary("no masters", "every entity and workload", "/master/**"),
        RuleSummary("no importers", "team: named importer", "everything"),
    ]


@pytest.mark.parametrize(
    ("age", "shown"), [("45s", "45s"), ("90m", "90m"), ("120m", "2h"), ("48h", "2d")]
)
def test_an_age_is_told_in_its_largest_whole_unit(age: str, shown: str) -> None:
    text = GOOD.replace("    secrets", f"        max_token_age: {age}\n    secrets")

    assert f"at most {shown} old" in grants_in_words(read_policy(text.encode()))[0].who


def test_what_grants_nothing_is_told_so() -> None:
    empty = f"version: 1\nissuers: {{a: {TEAM}}}\ngrants: [{{name: g, entities: [], secrets: []}}]"
    every = GOOD.replace(f"subject: {COMPONENT}", 'names: ["*"]').replace("/payments", "/[x]")

    assert grants_in_words(read_policy(empty.encode())) == [
        RuleSummary("g", "no entity", "nothing")
    ]
    assert grants_in_words(read_policy(every.encode())) == [
        RuleSummary("billing", "team: every entity", "/[x]/**")
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_in_the_documentation_has_no_mistake(example: str) -> None:
    assert read_policy(example.encode()).rules.grants


def test_the_documentation_has_an_example_and_explains_every_reason() -> None:
    page = PAGE.read_text("utf-8")

    assert EXAMPLES
    assert [code for code, what in ADVICE.items() if f"| `{code}` | {what} |" not in page] == []
    assert [name for name in MEMBERS if f"`{name}`" not in page] == []
