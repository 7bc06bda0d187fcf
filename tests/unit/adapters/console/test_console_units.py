"""Texts as the console writes them."""

from __future__ import annotations

import pytest

from adapters.console.figures import prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("compare `path` and `a_b`.", "compare <code>path</code> and <code>a_b</code>."),
        ("one ` alone", "one ` alone"),
        ("``", "``"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_backticks_mark_code_and_all_else_is_escaped(text: str, shown: str) -> None:
    assert prose(text) == shown
