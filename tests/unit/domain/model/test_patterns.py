"""Patterns on paths and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.patterns import InvalidPatternError, PathPattern, TextPattern


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/payments/API_KEY", "/payments/API_KEY", True),
        ("/payments/API_KEY", "/payments/API_KEY2", False),
        ("/payments/API_KEY", "/eu/payments/API_KEY", False),
        ("/payments/*", "/payments/API_KEY", True),
        ("/payments/*", "/payments/eu/API_KEY", False),
        ("/payments/*", "/payments", False),
        ("/payments/DB_*", "/payments/DB_URL", True),
        ("/payments/DB_*", "/payments/API_KEY", False),
        ("/*/DB_*_URL", "/a/DB_x_URL", True),
        ("/payments/**", "/payments/API_KEY", True),
        ("/payments/**", "/payments/eu/west/API_KEY", True),
        ("/payments/**", "/payments", False),
        ("/payments/**", "/paymentsX/API_KEY", False),
        ("/**/API_KEY", "/a/b/API_KEY", True),
        ("/**/API_KEY", "/API_KEY", False),
        ("/**/API_KEY", "/a//API_KEY", False),
        ("/**/b/**", "/a//b/c", False),
        ("/**/b/**", "/b/a/b/c", True),
        ("/**", "/anything", True),
        ("/a.c/K", "/abc/K", False),
        ("/a/K[1]", "/a/K1", False),
        ("/a/*", "/a/line\nbreak", True),
    ],
)
def test_a_path_pattern_means_what_it_says(pattern: str, path: str, *, matches: bool) -> None:
    assert PathPattern(pattern).matches(path) is matches


@pytest.mark.parametrize(
    ("pattern", "exact"),
    [("/payments/API_KEY", True), ("/payments/API_*", False), ("/payments/**", False)],
)
def test_a_pattern_without_wildcards_means_one_path(pattern: str, *, exact: bool) -> None:
    assert PathPattern(pattern).is_exact is exact


@pytest.mark.parametrize(
    "trick",
    [
        "/payments/../admin/KEY",
        "/payments//KEY",
        "/PAYMENTS/KEY",
        "/Payments/KEY",
        "/payments%2FKEY",
        "/p%61yments/KEY",
        "/\u0440ayments/KEY",
        "/payments\u2215KEY",
        "/payments/\uff2bEY",
        "/payments/KEY\u0000",
        "/payments/KEY\n",
        "/payments/KEY/",
        "payments/KEY",
        "//payments/KEY",
        "/./payments/KEY",
        "/payments/KE\u0301Y",
    ],
)
def test_no_other_spelling_passes_a_plain_pattern(trick: str) -> None:
    assert not PathPattern("/payments/KEY").matches(trick)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a",
        "a/b",
        "/",
        "/a/",
        "/a//b",
        "/../b",
        "/a/./b",
        "/a**",
        "/**b/c",
        "/a\x00",
        "/" + "a" * 2000,
        "/**/**/**/**/a",
    ],
)
def test_an_unclear_path_pattern_is_refused_with_advice(pattern: str) -> None:
    with pytest.raises(InvalidPatternError, match=r"\w"):
        PathPattern(pattern)


@given(st.text(st.characters(exclude_characters="/*\0", exclude_categories=["Cs"]), min_size=1))
def test_a_pattern_without_wildcards_matches_itself_alone(name: str) -> None:
    if name in {".", ".."}:
        return
    pattern = PathPattern(f"/a/{name}")

    assert pattern.matches(f"/a/{name}")
    assert not pattern.matches(f"/a/{name}x")
    assert not pattern.matches(f"/a/x{name}")


def test_many_deep_wildcards_do_not_take_long() -> None:
    path = "/" + "/".join(["a"] * 250) + "/b"

    assert not PathPattern("/**/a/**/a/**/c").matches(path)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("billing", "billing", True),
        ("billing", "Billing", False),
        ("bill*", "billing", True),
        ("*", "anything\nat all", True),
        ("*-prod", "shop-prod", True),
        ("*-prod", "shop-prod2", False),
        ("a.c", "abc", False),
    ],
)
def test_a_text_pattern_means_what_it_says(pattern: str, text: str, *, matches: bool) -> None:
    assert TextPattern(pattern).matches(text) is matches


@pytest.mark.parametrize("pattern", ["", "**", "x" * 2000])
def test_an_unclear_text_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError):
        TextPattern(pattern)
