"""Each mistake in the form of a policy file is reported with its line."""

from __future__ import annotations

import pytest

from adapters.access_policy.yaml_tree import MAX_BYTES
from tests.unit.adapters.access_policy.policies import (
    COMPONENT,
    TEAM,
    denials,
    grants,
    lines_of,
    problems_in,
    without_column,
)

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


def test_a_mistake_is_reported_by_its_column_in_characters_too() -> None:
    found = problems_in("version: {a: 1}\nissuers: {}\ngrants: [{name: 'é', é: x, c: &b y}]\n")

    assert found[0].startswith("line 1, column 10: version: this has another form")
    assert any(each.startswith('line 3, column 25: grants[0] "é": é: no such') for each in found)
    assert any(each.startswith("line 3, column 31: an anchor") for each in found)
