"""The policy file: what it says, and each mistake with its line."""

from __future__ import annotations

import pytest

from adapters.access_policy.document import read_policy
from adapters.access_policy.yaml_tree import MAX_BYTES
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.identity import IdentityKind
from domain.model.patterns import PathPattern, TextPattern
from tests.unit.adapters.access_policy.policies import (
    COMPONENT,
    GOOD,
    HOST,
    OTHER_TEAM,
    PROVIDER,
    TEAM,
    lines_of,
    problems_in,
    request,
    without_column,
)

HASH = "0123456789ABCDEF" * 4
FULL = f"""\
version: 1
issuers:
  team: {TEAM}
  other team: {OTHER_TEAM}
revoked:
  subjects: [{PROVIDER}]
  token_ids: [abc, 0017]
grants:
  - name: billing
    entities:
      - issuer: team
        subject: {COMPONENT}
      - issuer: other team
        subjects: [{COMPONENT}, {PROVIDER}]
        names: ["payments-*"]
        tags: [prod, no]
        kinds: [component, provider]
        min_rev: 3
        hashes: [{HASH}]
        max_token_age: 30d
    applications: [shop]
    hosts: [{HOST}]
    accounts: [HOSTS]
    users: [host-1]
    secrets:
      - keys: ["/payments/**", /a]
        backends: [infisical]
        fields: [user, ""]
        versions: latest
        properties: {{environment: [prod, 010], path: [""]}}
      - keys: [/b]
        fields: any
        versions: any
      - keys: [/c]
        versions: [3, "4"]
denials:
  - name: no masters
    keys: [/master/**]
  - name: no importers
    entities:
      - issuer: team
        names: [importer]
"""


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


def grants(
    entity: str = "subject: " + COMPONENT, secret: str = "keys: [/a]", more: str = ""
) -> str:
    """Write a file whose entity stands on lines 7 and 8, `more` on 9 and the secret on 11."""
    return (
        f"version: 1\nissuers:\n  team: {TEAM}\ngrants:\n  - name: billing\n    entities:\n"
        f"      - issuer: team\n        {entity}\n    {more or '# nothing'}\n    secrets:\n"
        f"      - {secret}\n"
    )


def denials(text: str) -> str:
    return f"version: 1\nissuers: {{team: {TEAM}}}\ngrants: []\ndenials:\n  - {text}\n"


HEAD = f"version: 1\nissuers: {{team: {TEAM}}}\n"
IN_ENTITY = 'line 8: grants[0] "billing": entities[0]'
IN_SECRET = 'line 11: grants[0] "billing": secrets[0]'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "line 1: nothing stands here; write members"),
        ("version: 1\nissuers: {}\n", 'line 1: the member "grants" is missing'),
        ("version: 1\ngrants: []\n", 'line 1: the member "issuers" is missing'),
        ("issuers: {}\ngrants: []\n", 'line 1: the member "version" is missing'),
        ("version: 2\nissuers: {}\ngrants: []", "line 1: version: this version of the form is unk"),
        ("version:\nissuers: {}\ngrants: []", "line 1: version: nothing stands here; write a text"),
        ("version: 1\nissuers:\ngrants: []", "line 2: issuers: nothing stands here"),
        ("version: 1\nissuers: {}\ngrants:\n", "line 3: grants: nothing stands here"),
        (
            "version: 1\nissuers: {}\ngrants: {}",
            "line 3: grants: this has another form; write a li",
        ),
        (
            "version: 1\nissuers: {}\ngrant: []\ngrants: []",
            'revoked, grants, denials. Did you mean "grants"?',
        ),
        (
            "version: 1\nversion: 1\nissuers: {}\ngrants: []",
            "line 2: version: this name stands on ",
        ),
        ("version: 1\nissuers: {a: A}\ngrants: []", "line 2: issuers.a: write an account's public"),
        (
            f"version: 1\nissuers: {{a: {COMPONENT}}}\ngrants: []",
            "This is a key of kind component.",
        ),
        ("version: 1\nissuers: {a: FILL-IN}\ngrants: []", "line 2: issuers.a: this is still to be"),
        (
            f"version: 1\nissuers: {{FILL-IN-1: {TEAM}}}\ngrants: []",
            "line 2: issuers.FILL-IN-1: this issuer is still to be filled in",
        ),
        (f"version: 1\nissuers: {{'': {TEAM}}}\ngrants: []", "line 2: issuers.?: an issuer's name"),
        (
            f"version: 1\nissuers:\n  a: {TEAM}\n  b: {TEAM}\ngrants: []",
            'line 4: issuers.b: the issuer "a" has the same key',
        ),
        (
            HEAD + "revoked: {subjects: [N]}\ngrants: []",
            "line 3: revoked.subjects[0]: write the pub",
        ),
        (HEAD + "revoked: {tokens: []}\ngrants: []", "line 3: revoked.tokens: no such member"),
        (
            HEAD + "revoked: {token_ids: ['']}\ngrants: []",
            "line 3: revoked.token_ids[0]: this text",
        ),
        (HEAD + "revoked:\ngrants: []", "line 3: revoked: nothing stands here"),
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
        ("version: 1\nissuers: {\n", "line 3: this is not YAML ("),
        ("version: 1\n\tissuers: {}\n", "line 2: this is not YAML ("),
        (b"version: 1\n# caf\xe9\n", "line 2: this is not UTF-8"),
        (b"version: 1\n# \x07\n", "line 2: U+0007 (a control character) stands here"),
        (b"#" * (MAX_BYTES + 1), "the file has more than 1048576 bytes"),
        ("version: " + "[" * 100, "line 1: lists and members are nested deeper than 16"),
        ("grants: [" + "a," * 100_001 + "]", "line 1: the file holds more than 100000 values"),
    ],
)
def test_a_mistake_is_reported_by_line_and_name(text: str | bytes, mistake: str) -> None:
    found = problems_in(text)

    assert any(mistake in without_column(line) for line in found), found


def test_all_mistakes_are_reported_in_the_order_of_their_lines() -> None:
    text = grants("names: []\n        min_rev: x", "keys: [a]").replace("version: 1", "version: 2")

    assert lines_of(problems_in(text)) == ["line 1", "line 9", "line 12"]


def test_a_wrong_issuer_hides_no_other_mistake_of_its_entity() -> None:
    found = problems_in(
        grants("subject: M\n        min_rev: x").replace("issuer: team", "issuer: no")
    )

    assert lines_of(found) == ["line 7", "line 8", "line 9"]


def test_one_wrong_value_is_one_mistake() -> None:
    assert len(problems_in(grants("subject: M"))) == 1
    assert len(problems_in(grants(secret="keys: /a"))) == 1
    assert len(problems_in(grants().replace(str(TEAM), "A"))) == 1
    assert len(problems_in(denials("{name: d, keys: /a}"))) == 1


def test_a_mistake_repeats_nothing_long_that_was_pasted() -> None:
    seed = "SAAESEGLEJUJ3DE73U7J6M4PZGVKXFSXMNOIPYLR4XYIMZPS56TBFLTJLY"
    token = "eyJ0eXAiOiJqd3QiLCJhbGciOiJFZDI1NTE5In0." * 4
    text = f"version: 1\nissuers: {{a: {seed}, {token}: x}}\n{token}: 1\ngrants: [{token}]\n"

    shown = "\n".join(problems_in(text))

    assert seed not in shown
    assert token not in shown


def test_a_few_lines_of_aliases_do_not_make_a_document_of_any_size() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))
    found = problems_in(f"l0: &l0 [x]\n{levels}\n")

    assert sum("an alias" in line for line in found) == 29 * 9


def test_among_very_many_issuers_none_is_suggested() -> None:
    many = "".join(f"  team{n}: A\n" for n in range(600))
    text = grants().replace("grants:", many + "grants:").replace("issuer: team", "issuer: tean")

    assert any(line.endswith("that stand under issuers.") for line in problems_in(text))
