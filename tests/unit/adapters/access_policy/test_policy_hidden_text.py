"""A policy file means what a person sees in it: attacks on the reader of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError
from tests.unit.adapters.access_policy.policies import COMPONENT, GOOD, PROVIDER, problems_in

HIDDEN_GRANT = (
    "  - {name: hidden, entities: [{issuer: team, names: ['*']}], secrets: [{keys: ['/**']}]}"
)


@pytest.mark.parametrize(
    ("line_end", "shown"),
    [
        ("\x85", "U+0085"),
        ("\u2028", "U+2028 (LINE SEPARATOR)"),
        ("\u2029", "U+2029 (PARAGRAPH SEPARATOR)"),
        ("\r", "U+000D"),
    ],
)
def test_a_grant_behind_another_line_end_is_no_part_of_a_comment(line_end: str, shown: str) -> None:
    text = f"{GOOD}# old rules:{line_end}{HIDDEN_GRANT}\n"

    (mistake,) = problems_in(text)
    assert mistake.startswith(f"line {GOOD.count(chr(10)) + 1}, column 13: {shown}")


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200f", "\u200b", "\u2060", "\xad", "\xa0"])
@pytest.mark.parametrize("place", ["# {}", "x: 'a{}b'", "x{}: y", '"{}"'])
def test_a_character_that_shows_another_text_is_refused_wherever_it_stands(
    char: str, place: str
) -> None:
    found = problems_in(f"{GOOD}{place.format(char)}\n")

    assert f"line 11, column {place.index('{') + 1}: U+{ord(char):04X}" in found[0]


def test_many_such_characters_are_not_all_reported() -> None:
    assert len(problems_in("\u202e" * 1000)) == 20


def test_windows_line_ends_tabs_in_comments_and_any_script_are_read() -> None:
    text = GOOD.replace("\n", "\r\n") + "# ключ\t鍵 🔑 é\r\n"

    assert read_policy(text.encode()).rules == read_policy(GOOD.encode()).rules


@pytest.mark.parametrize(
    "keys",
    [
        "\n      - |\n        /master/**\n",
        "\n      - >\n        /master/**\n",
        "\n      - |-\n        /master/**\n",
        "\n      - /master/\n        **\n",
        "\n      - '/master/\n\n        KEY'\n",
        '\n      - "/master/\n        KEY"\n',
    ],
)
def test_a_denial_whose_style_adds_to_its_key_is_refused(keys: str) -> None:
    text = f"{GOOD}denials:\n  - name: masters\n    keys:{keys}"

    assert any("this text takes several lines" in line for line in problems_in(text))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=3))
def test_no_text_in_a_comment_changes_the_rules(text: str) -> None:
    try:
        document = read_policy(f"{GOOD}# {text.replace(chr(10), ' ')}\n".encode())
    except AccessPolicyError:
        return

    assert document.rules == read_policy(GOOD.encode()).rules


def warnings(text: str) -> list[str]:
    return [str(warning) for warning in read_policy(text.encode()).warnings]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('keys: ["/payments/**"]', "keys: []", "the list of keys is empty"),
        (
            'keys: ["/payments/**"]',
            'keys: ["/a"]\n        fields: []',
            "the list of fields is empty",
        ),
        (
            'keys: ["/payments/**"]',
            'keys: ["/a"]\n        versions: []',
            "the list of versions is empty",
        ),
        ("    secrets:\n", "    accounts: []\n    secrets:\n", "the list of accounts is empty"),
        (
            f"subject: {COMPONENT}",
            f"subject: {COMPONENT}\n        kinds: [provider]",
            "no subject listed is of a kind listed",
        ),
        (
            "grants:\n",
            f"revoked: {{subjects: [{COMPONENT}]}}\ngrants:\n",
            "every subject listed is revoked",
        ),
        (f"subject: {COMPONENT}", "names: []", "the list of names is empty"),
    ],
)
def test_a_grant_that_can_match_nothing_is_warned_of(before: str, after: str, why: str) -> None:
    assert warnings(GOOD) == []

    (warning,) = warnings(GOOD.replace(before, after))

    assert warning.endswith(f'grants "billing": this rule can match nothing: {why}')


def test_a_denial_that_can_match_nothing_is_warned_of() -> None:
    entity = f"{{issuer: team, subject: {PROVIDER}, kinds: [component]}}"
    text = f'{GOOD}denials:\n  - {{name: never, keys: ["/a"], entities: [{entity}]}}\n'

    (warning,) = warnings(text)

    assert warning.startswith('line 12: denials "never": this rule can match nothing')


def test_a_rule_with_one_alternative_that_can_match_is_no_cause_for_a_warning() -> None:
    both = f"subject: {COMPONENT}\n      - issuer: team\n        names: []"

    assert warnings(GOOD.replace(f"subject: {COMPONENT}", both)) == []
