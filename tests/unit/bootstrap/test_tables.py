"""Every table looks alike, on a terminal and in a pipe."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from bootstrap.cli.terminal import new_table, show_table
from bootstrap.local.demo_stage import DemoReport

if TYPE_CHECKING:
    import pytest

COLUMNS, ROWS = ("key", "bytes"), [("shop/API_KEY", "7"), ("b", "1024")]


def shown(width: int, rows: list[tuple[str, str]]) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width).print(new_table(COLUMNS, rows, right=[1]))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_line_stands_below_the_headings_and_numbers_to_the_right() -> None:
    assert shown(80, ROWS) == [
        "key            bytes",
        "────────────────────",
        "shop/API_KEY       7",
        "b               1024",
    ]


def test_rows_of_several_lines_are_kept_apart() -> None:
    assert shown(80, [("one\nor two", "7"), ("three", "9")])[2:] == [
        "one          7",
        "or two",
        "",
        "three        9",
    ]


def test_a_terminal_folds_what_is_too_long_and_loses_nothing() -> None:
    lines = shown(20, [("k" * 30, "7")])

    assert max(map(len, lines)) <= 20
    assert sum(line.count("k") for line in lines[1:]) == 30


def test_what_is_no_terminal_gets_each_row_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    show_table(COLUMNS, [("k" * 300, "7")], right=[1])

    assert [line.split() for line in capsys.readouterr().out.splitlines()][2] == ["k" * 300, "7"]


def test_what_is_no_terminal_gets_no_space_at_the_end_of_a_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(COLUMNS, [("key", "long"), ("k", "x")])

    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "k     x"
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_brackets_in_a_cell_are_no_markup() -> None:
    assert "[red]x[/]" in shown(80, [("[red]x[/]", "1")])[2]


def test_the_demo_and_the_commands_draw_the_same_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = io.StringIO()
    DemoReport(Console(file=file, width=80)).table(COLUMNS, ROWS, right=1)
    show_table(COLUMNS, ROWS, right=[1])

    demo = [line[2:].rstrip() for line in file.getvalue().splitlines()]
    assert demo == [line.rstrip() for line in capsys.readouterr().out.splitlines()]
