"""The attack on a pattern's time: what a peer sends decides the length, never the power of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.model.patterns import InvalidPatternError, PathPattern, TextPattern
from tests.support.counted_text import CountedText, Work

LOOKS_AT_A_CHARACTER = 4
"""How often one character may be looked at: split off, compared at both ends, and searched."""


def work_of(pattern: TextPattern | PathPattern, text: str) -> int:
    work = Work()
    pattern.matches(CountedText(text, work))
    return work.characters


@pytest.mark.parametrize(
    ("pattern", "unit"),
    [
        ("*-*-prod", "-"),
        ("*a*a*a*a*a*b", "a"),
        ("*ab*ab*ab*", "ab"),
        ("x*-*-*-*y", "x-"),
        ("*" + "-*" * 200, "-"),
    ],
)
@pytest.mark.parametrize("length", [1_000, 40_000])
def test_an_application_of_many_dashes_costs_each_character_a_few_looks(
    pattern: str, unit: str, length: int
) -> None:
    text = unit * (length // len(unit))

    assert work_of(TextPattern(pattern), text) <= LOOKS_AT_A_CHARACTER * (len(text) + len(pattern))


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("/*-*-prod", "-"),
        ("/a/*a*a*a*a*b", "a"),
        ("/**/*a*a*a*b", "a"),
        ("/**/a*b/**/a*b/**/c", "a"),
    ],
)
def test_a_key_of_many_dashes_costs_each_character_a_few_looks_for_each_part_of_the_pattern(
    pattern: str, part: str
) -> None:
    bound = LOOKS_AT_A_CHARACTER * (pattern.count("/") + 1)
    for path in (f"/a/{part * 40_000}", f"/{part}" * 20_000, f"/{part * 100}" * 400):
        assert work_of(PathPattern(pattern), path) <= bound * (len(path) + len(pattern))


@given(
    st.text("ab*", min_size=1, max_size=12).filter(lambda text: "**" not in text),
    st.text("ab", min_size=1, max_size=6),
    st.integers(1, 500),
)
def test_no_text_costs_more_than_a_few_looks_at_each_character(
    pattern: str, unit: str, times: int
) -> None:
    text = unit * times

    assert work_of(TextPattern(pattern), text) <= LOOKS_AT_A_CHARACTER * (len(text) + len(pattern))


@given(st.text("ab*-", min_size=1, max_size=9), st.text("ab-\n", max_size=12))
@example("a*a", "a")
@example("*a*", "a")
@example("ab*ba", "aba")
def test_a_text_pattern_agrees_with_the_expression_it_stands_for(pattern: str, text: str) -> None:
    assume("**" not in pattern)
    expression = ".*".join(map(re.escape, pattern.split("*")))

    expected = re.fullmatch(expression, text, re.DOTALL) is not None

    assert TextPattern(pattern).matches(text) is expected


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "*b", "a*b*a"]), min_size=1, max_size=6),
    st.text("ab/", max_size=12),
)
@example(["**"], "a//b")
@example(["**", "b"], "a/b")
@example(["*"], "")
def test_a_path_pattern_agrees_with_the_expression_it_stands_for(
    parts: list[str], rest: str
) -> None:
    try:
        pattern = PathPattern("/" + "/".join(parts))
    except InvalidPatternError:
        assume(False)
    expressions = (
        "[^/]+(?:/[^/]+)*" if part == "**" else "[^/]*".join(map(re.escape, part.split("*")))
        for part in parts
    )

    expected = re.fullmatch("/" + "/".join(expressions), f"/{rest}") is not None

    assert pattern.matches(f"/{rest}") is expected
