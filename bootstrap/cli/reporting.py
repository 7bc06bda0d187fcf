"""How commands end when they fail: one line that says what to do, and never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adapters.system.secret_file import (
    Kind,
    SecretFileError,
    read_secret_file,
    read_secret_text,
)
from bootstrap.cli.plain_help import PlainGroup
from bootstrap.cli.terminal import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path

_Result = TypeVar("_Result")

FAILED, MISUSED = 1, 2

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for a program to read.")]

_MAX_TEXT_BYTES = 1024 * 1024


def command_group(name: str, text: str) -> typer.Typer:
    """Return a group of commands: alone it shows its help, and no traceback shows locals."""
    return typer.Typer(
        name=name,
        help=text,
        cls=PlainGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )


class CommandError(Exception):
    """The command cannot do what it was asked to; the text says what to give instead."""


class NotReadyError(Exception):
    """The running service is not ready for what was asked; the text says what to do first."""


class NotPermittedError(Exception):
    """NATS does not let this user do what the command must; the text says which user may."""


def run(work: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """Run a command's work on an event loop, with logging set up for a person's eyes."""
    from adapters.telemetry.log_setup import configure_logging

    configure_logging("error", "auto")
    return guarded_run(work)


def guarded_run(work: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """Run a command's work on an event loop, with logging as it is."""
    import asyncio

    return guarded(lambda: asyncio.run(work()))


def guarded(work: Callable[[], _Result]) -> _Result:
    """Do the work; whatever goes wrong becomes one line on stderr and an exit code.

    Raises:
        typer.Exit: 1 when it failed, 2 when it was asked for wrongly.
    """
    try:
        return work()
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001  a traceback would show locals, and so secrets
        from bootstrap.cli.failures import told

        text, code = told(error)
    raise failure(text, code)


def failure(text: str, code: int = FAILED) -> typer.Exit:
    """Say on stderr what to do, and return what ends the command."""
    warn(text, style="red")
    return typer.Exit(code)


def named_values(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return what a repeatable option NAME=VALUE was given.

    Raises:
        CommandError: one is not written so, or a name is given twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in pairs:
            raise CommandError(f"Write {option} as NAME=VALUE, each name once.")
        pairs[name] = value
    return pairs


def read_text(path: Path, what: str) -> str:
    """Return a small file's text without the space around it.

    Raises:
        CommandError: it cannot be read.
    """
    return _read(what, lambda: read_secret_text(path, _MAX_TEXT_BYTES).strip())


def read_seed(path: Path, what: str) -> str:
    """Return the seed that a file holds, with or without BEGIN and END lines around it.

    Raises:
        CommandError: it cannot be read, or holds no seed.
    """
    return _read(what, lambda: read_secret_file(path, Kind.SEED).text)


def _read(what: str, read: Callable[[], str]) -> str:
    try:
        return read()
    except FileNotFoundError:
        problem = "does not exist; check its path."
    except SecretFileError as error:
        problem = str(error)
    raise CommandError(f"The file with {what} {problem}")
