"""The configuration table of docs/settings.md is that of the settings."""

from __future__ import annotations

import pytest

from bootstrap.settings_table import settings_table
from tests.unit.docs.documents import SETTINGS_PAGE
from tests.unit.docs.refresh_settings import BEGIN, END, with_table


def test_the_page_shows_the_settings_as_they_are() -> None:
    text = SETTINGS_PAGE.read_text("utf-8")

    assert text == with_table(text, settings_table()), (
        "run `python -m tests.unit.docs.refresh_settings`"
    )


def test_refreshing_replaces_the_table_and_nothing_else() -> None:
    text = f"before\n{BEGIN}old\n{END}after\n"

    assert with_table(text, "new\n") == f"before\n{BEGIN}\nnew\n\n{END}after\n"


@pytest.mark.parametrize("text", ["", BEGIN, END, BEGIN + BEGIN + END])
def test_a_page_without_its_markers_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="exactly once"):
        with_table(text, "new\n")
