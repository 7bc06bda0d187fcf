"""Each mistake in a rule of a policy file is reported with its line."""

from __future__ import annotations

import pytest

from tests.unit.adapters.access_policy.policies import (
    COMPONENT,
    HOST,
    TEAM,
    denials,
    grants,
    problems_in,
    without_column,
)

HEAD = f"version: 1\nissuers: {{team: {TEAM}}}\n"
IN_ENTITY = 'line 8: grants[0] "billing": entities[0]'
IN_SECRET = 'line 11: grants[0] "billing": secrets[0]'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (HEAD + "grants: [x]", "line 3: grants[0]: this has another form; write members"),
        (
            HEAD + "grants: [{entities: [], secrets: []}]",
            "line 3: grants[0]: give this rule a name",
        ),
        (
            HEAD + "grants: [{name: ~, entities: [], secrets: []}]",
            "line 3: grants[0]: give this rul",
        ),
        (
            HEAD + 'grants: [{name: "a\\nb", entities: [], secrets: []}]',
            "grants[0]: give this rule",
        ),
        (
            HEAD + "grants: [{name: a}]",
            'grants[0] "a": neither "entities" nor "workloads" is there',
        ),
        (HEAD + "grants: [{name: a}]", 'grants[0] "a": the member "secrets" is missing; add it'),
        (
            HEAD
            + "grants:\n- {name: a, entities: [], secrets: []}\ndenials:\n- {name: a, keys: [/a]}",
            'line 6: denials[0]: the rule on line 4 is named "a" too; rename one of them',
        ),
        (
            grants("kinds: [provider]"),
            'line 7: grants[0] "billing": entities[0]: this does not say',
        ),
        (grants("issuer: team"), f"{IN_ENTITY}.issuer: this name stands on line 7 already"),
        (grants("subject: M"), f"{IN_ENTITY}.subject: write the public key of a component"),
        (grants("subject: FILL-IN"), f"{IN_ENTITY}.subject: this is still to be filled in"),
        (grants(f"subject: {HOST}"), f"{IN_ENTITY}.subject: write the public key of a component"),
        (grants("subject: [a]"), f"{IN_ENTITY}.subject: this has another form; write a text"),
        (grants("subjects: M"), f"{IN_ENTITY}.subjects: this has another form; write a list"),
        (
            grants(f"subject: {COMPONENT}\n        subjects: []"),
            f'{IN_ENTITY}.subject: "subjects" stands beside it',
        ),
        (grants("names: [a**]"), f"{IN_ENTITY}.names[0]: this is no pattern"),
        (grants("names: [~]"), f"{IN_ENTITY}.names[0]: nothing stands here; write a text"),
        (
            grants("kinds: [providers]"),
            'kinds[0]: write "component" or "provider". Did you mean "pr',
        ),
        (grants("kinds: [~]"), f"{IN_ENTITY}.kinds[0]: nothing stands here; write a text"),
        (grants("min_rev:"), f"{IN_ENTITY}.min_rev: nothing stands here; write a text"),
        (grants("max_token_age:"), f"{IN_ENTITY}.max_token_age: nothing stands here"),
        (grants(secret="keys: [~]"), f"{IN_SECRET}.keys[0]: nothing stands here; write a text"),
        (grants(secret="nothing"), f"{IN_SECRET}: this has another form; write members"),
        (grants("min_rev: -1"), f"{IN_ENTITY}.min_rev: write a whole number from 0 to 2147483647"),
        (grants("min_rev: 2147483648"), f"{IN_ENTITY}.min_rev: write a whole number"),
        (grants("hashes: [abc]"), f"{IN_ENTITY}.hashes[0]: a hash is 64 hexadecimal digits"),
        (grants("max_token_age: 30"), f"{IN_ENTITY}.max_token_age: write a whole number above 0"),
        (grants("max_token_age: 0d"), f"{IN_ENTITY}.max_token_age: write a whole number above 0"),
        (
            grants().replace("issuer: team", "issuer: tean"),
            'the names that stand under issuers. Did you mean "team"?',
        ),
        (
            grants().replace("issuer: team", "kinds: []"),
            'the member "issuer" is missing; add the na',
        ),
        (
            grants(more="hosts: [M]"),
            'line 9: grants[0] "billing": hosts[0]: write a host\'s public',
        ),
        (
            grants(more="applications: ['']"),
            'line 9: grants[0] "billing": applications[0]: this is',
        ),
        (
            grants(more="accounts: A"),
            'line 9: grants[0] "billing": accounts: this has another form',
        ),
        (grants(more="users: [{a: b}]"), 'line 9: grants[0] "billing": users[0]: this has another'),
        (grants(secret="key: [/a]"), f"{IN_SECRET}.key: no such member is known here"),
        (grants(secret="key: [/a]"), f'{IN_SECRET}: the member "keys" is missing'),
        (
            grants(secret="keys: [payments/a]"),
            f'{IN_SECRET}.keys[0]: this is no pattern of keys: begin it with "/" and keep it under',
        ),
        (
            grants(secret="keys: [payments/a]"),
            "; the path is the one that the audit record shows, whole and from its root",
        ),
        (grants(secret="keys: [/a/**b]"), f'{IN_SECRET}.keys[0]: this is no pattern of keys: "**"'),
        (
            grants(secret="keys: [/a]\n        fields: all"),
            "fields: write any, or a list of the fi",
        ),
        (
            grants(secret="keys: [/a]\n        versions: 3"),
            "versions: write any or latest, or a li",
        ),
        (
            grants(secret="keys: [/a]\n        versions:"),
            "versions: write any or latest, or a list",
        ),
        (grants(secret="keys: [/a]\n        properties: a"), "properties: this has another form"),
        (
            grants(secret="keys: [/a]\n        properties: {environment: prod}"),
            'line 12: grants[0] "billing": secrets[0].properties.environment: this has another',
        ),
        (
            grants(secret="keys: [/a]\n        properties: {backend: [x]}"),
            'secrets[0].properties.backend: rules never see the property "backend"',
        ),
        (
            grants(secret="keys: [/a]\n        <<: {}"),
            "secrets[0].<<: merging (<<) is not read here",
        ),
        (
            grants(secret="keys: [/a]\n        ? [b]\n        : c"),
            "write a plain name before the col",
        ),
        (denials("name: d"), 'line 5: denials[0] "d": this would deny every request'),
        (
            denials("{name: d, keys: []}"),
            'line 5: denials[0] "d": keys: an empty list would deny no',
        ),
        (
            denials("{name: d, entities: []}"),
            'denials[0] "d": entities: an empty list would deny no',
        ),
        (denials("{name: d, keys: [/a], fields: [a]}"), 'denials[0] "d": fields: no such member'),
        (
            denials("{name: d, entities: [{issuer: team, names: [a], min_rev: 1}]}"),
            "entities[0].min_rev: in a denial this would pass over the old",
        ),
        (
            denials("{name: d, entities: [{issuer: team, names: []}]}"),
            "entities[0].names: an empty list would deny nothing",
        ),
        (denials("d"), "line 5: denials[0]: this has another form"),
        (denials("{name: d, entities: [x]}"), 'denials[0] "d": entities[0]: this has another form'),
        ("version: 1\nissuers: {a: &b c}\n", "line 2: an anchor (&name) is not read here"),
        ("version: 1\nissuers: {a: *b}\n", "line 2: an alias (*name) is not read here"),
        ("version: !!int 1\nissuers: {}\n", "line 1: a tag (!name) is not read here"),
        ("version: 1\n---\nversion: 1\n", "line 3: a second document begins before here"),
    ],
)
def test_a_mistake_in_a_rule_is_reported_by_line_and_name(text: str | bytes, mistake: str) -> None:
    found = problems_in(text)

    assert any(mistake in without_column(line) for line in found), found
