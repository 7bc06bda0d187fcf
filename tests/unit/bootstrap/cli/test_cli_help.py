"""Help is for people: it names what to give, and no types of the program's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from bootstrap.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOISE = re.compile(r"<\w|\[\[|\bx[<>]=|<=x|\blist\[|\[default: \(|^Usage:.*\{", re.MULTILINE)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command as the words that call it."""
    yield path
    for name in getattr(command, "commands", ()):
        yield from commands(command.get_command(None, name), (*path, name))


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_no_help_text_shows_types_or_nested_brackets(words: tuple[str, ...]) -> None:
    text = CliRunner().invoke(app, [*words, "--help"]).output

    assert text.startswith("Usage: ")
    assert _NOISE.findall(text) == []


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_a_list_of_commands_cuts_no_sentence(words: tuple[str, ...]) -> None:
    text = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).output

    assert re.findall(r"\w\.\.\.", text) == []


def test_bounds_and_choices_are_said_in_words() -> None:
    flush = CliRunner().invoke(app, ["cache", "flush", "--help"]).output
    request = CliRunner().invoke(app, ["request", "--help"]).output
    permissions = CliRunner().invoke(app, ["nats-auth", "permissions", "--help"]).output

    assert "0.1 to 60]" in " ".join(flush.split())
    assert "0.1 or more]" in " ".join(request.split())
    assert "One of service, host, lattice" in " ".join(permissions.split())


def test_an_option_names_what_it_takes() -> None:
    text = CliRunner().invoke(app, ["request", "--help"]).output

    assert "--entity-token-file FILE" in text
    assert "--field FIELD" in text
    assert "--output FILE" in CliRunner().invoke(app, ["kv", "get", "--help"]).output
    assert "--output text|raw|json" in text
    assert re.search(r"--raw  +The", text)


def test_kinds_of_keys_are_named_in_words() -> None:
    help_text = " ".join(CliRunner().invoke(app, ["keys", "generate", "--help"]).output.split())
    wrong = CliRunner().invoke(app, ["keys", "generate", "banana"])

    for word in ("xkey (X)", "account (A)", "component (M)", "provider (V)", "host (N)"):
        assert word in help_text
    assert wrong.exit_code == 2
    assert "component (M)" in " ".join(wrong.output.split())
