"""Escape sequences of peers, stores and files do not reach the operator's terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import bootstrap.cli
from bootstrap.cli import request
from bootstrap.cli.reporting import guarded
from bootstrap.cli.request import Output
from bootstrap.cli.terminal import (
    is_plain,
    lines,
    may_be_shown_raw,
    printable,
    say,
    show_table,
    warn,
)
from domain.model.errors import OtherError
from domain.model.secret import Secret, SecretValue

if TYPE_CHECKING:
    from typing import NoReturn

STEERING = [
    "\x1b[2J\x1b[H",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x9b31m",
    "a\rb",
    "a\x08b",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "ad\u200bmin",
    "a\u2028b",
    "\x7f",
]


@pytest.mark.parametrize("text", STEERING)
def test_what_steers_a_terminal_is_written_out(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say(f"name {text}")
    warn(f"name {text}")
    show_table(("name",), [(text,)])

    out, err = capsys.readouterr()
    for shown in (out, err):
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert "\\x" in shown or "\\u" in shown or "\\r" in shown


@given(st.text())
def test_whatever_the_text_its_printable_form_is_one_printable_line(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_foreign_text_begins_no_line_of_its_own() -> None:
    assert lines(f"Refused:\n{printable('key' + chr(10) + 'Allowed')}") == "Refused:\nkey\\nAllowed"


def test_markup_and_emoji_codes_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    say("[bold]x[/bold] :warning: [link=http://x]y[/link]")

    assert capsys.readouterr().out == "[bold]x[/bold] :warning: [link=http://x]y[/link]\n"


def test_a_refusals_advice_is_a_peers_text(capsys: pytest.CaptureFixture[str]) -> None:
    def refused() -> NoReturn:
        raise OtherError("\x1b[2Jtry\nThe command succeeded.")

    with pytest.raises(typer.Exit):
        guarded(refused)

    assert capsys.readouterr().err == "Other: \\x1b[2Jtry\\nThe command succeeded.\n"


@pytest.mark.parametrize("text", STEERING)
def test_a_requested_value_with_control_characters_is_shown_raw_only(
    text: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    secret = Secret("1", SecretValue(f"before {text}"))

    with pytest.raises(typer.Exit):
        request._show(secret, Output.TEXT)
    assert capfdbinary.readouterr().out == b""

    request._show(secret, Output.JSON)
    assert capfdbinary.readouterr().out.isascii()

    request._show(secret, Output.RAW)
    assert capfdbinary.readouterr().out == f"before {text}".encode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain \xc3\xa4", True),
        ("line\nline", True),
        (b"\xff\x00", False),
        (b"\x1b[2J", False),
        ("\x1b[2J", False),
    ],
)
def test_exact_bytes_go_to_a_terminal_only_if_they_are_plain(
    value: str | bytes, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert may_be_shown_raw(value)

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    assert may_be_shown_raw(value) is shown
    if not shown:
        with pytest.raises(typer.Exit):
            request._show(Secret("1", SecretValue(value)), Output.RAW)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("", True),
        ("pass phrase", True),
        ("-----BEGIN\nAAAA\n-----END\n", True),
        ("a\tb", True),
        ("größer 🔑", True),
        ("a\r\nb", False),
        ("\x1b[1m", False),
        ("\u202e", False),
    ],
)
def test_lines_of_plain_characters_may_be_shown(value: str, plain: bool) -> None:
    assert is_plain(value) is plain


def test_no_command_writes_past_the_one_place_that_makes_text_harmless() -> None:
    folder = Path(bootstrap.cli.__file__).parent
    direct = re.compile(
        r"\bConsole\(|typer\.(?:secho|echo)\(|(?<![\w.])print\(|sys\.std(?:out|err)"
    )
    found = {
        (path.name, match.group())
        for path in folder.glob("*.py")
        for match in direct.finditer(path.read_text("utf-8"))
        if path.name != "terminal.py"
    }

    assert found == {
        ("__init__.py", "typer.echo("),  # this program's version
        ("kv.py", "typer.echo("),  # a value that `is_plain`
        ("kv.py", "sys.stdout"),  # --raw
        ("request.py", "sys.stdout"),  # the same two
    }
