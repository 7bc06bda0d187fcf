"""How commands read their options and end: one line that says what to do, never a traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adapters.system.files import create_file
from adapters.system.secret_file import Kind, SecretFileError, read_secret_file, read_secret_text
from bootstrap.cli.groups import PlainGroup
from bootstrap.cli.terminal import printable, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path

    from domain.model.transport import Requester

_Result = TypeVar("_Result")

FAILED, MISUSED = 1, 2

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for a program to read.")]

METAVAR = "TIME"
"""How help texts name an argument that `duration_seconds` reads."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_MAX_TEXT_BYTES = 1024 * 1024


def command_group(name: str, text: str) -> typer.Typer:
    """Return a group of commands: alone it shows its help, and no traceback shows locals."""
    group = typer.Typer(
        name=name,
        help=text,
        cls=PlainGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # Without a callback a group of one command would be that command.
    group.callback()(lambda: None)
    return group


class CommandError(Exception):
    """The command cannot do what it was asked to; the text says what to give instead."""

    exit_code = MISUSED


class NotReadyError(CommandError):
    """The running service is not ready for what was asked; the text says what to do first."""

    exit_code = FAILED


class NotPermittedError(CommandError):
    """NATS does not let this user do what the command must; the text says which user may."""

    exit_code = FAILED


def explained(error: Exception) -> tuple[str, int]:
    """Return one line that says what to do about a failure, and the exit code."""
    from adapters.access_policy.draft_from_mappings import BackendNameUnusableError, MappingsError
    from adapters.access_policy.hypothetical_caller import TokenRefusedError, UnusableKeyError
    from adapters.audit.file_reader import AuditReadError
    from adapters.audit.verifying import KeyUnusableError
    from adapters.crypto.nkeys_text import InvalidNKeyError
    from adapters.crypto.seed_file import SeedFileError
    from adapters.nats.connect_errors import NatsConnectError
    from adapters.nats_auth.folder import FolderUnusableError
    from adapters.nats_auth.roles import NamesUnusableError
    from adapters.telemetry.fault_log import describe_error
    from bootstrap.settings import SettingsError
    from domain.model.errors import RequestError
    from domain.model.replies import MalformedReplyError
    from ports.transport import ChannelError

    misuses = (
        AuditReadError,
        BackendNameUnusableError,
        FolderUnusableError,
        InvalidNKeyError,
        KeyUnusableError,
        NamesUnusableError,
        SeedFileError,
        SettingsError,
        UnusableKeyError,
    )
    if isinstance(error, CommandError):
        return str(error), error.exit_code
    if isinstance(error, misuses):
        return str(error), MISUSED
    if isinstance(error, MalformedReplyError):
        return f"The answer is not of this protocol: {error}.", FAILED
    if isinstance(error, (NatsConnectError, ChannelError, MappingsError, TokenRefusedError)):
        return str(error), FAILED
    if isinstance(error, RequestError):
        return f"{error.wire_name}: {printable(error.advice)}", FAILED
    frames = describe_error(error)["frames"]
    place = f" at {frames[-1]}" if isinstance(frames, list) and frames else ""
    return f"The command failed unexpectedly ({type(error).__name__}{place}); report it.", FAILED


def run(work: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """Run a command's work on an event loop, with logging set up for a person's eyes."""
    from adapters.telemetry.log_setup import configure_logging

    configure_logging("error", "auto")
    return guarded_run(work)


def guarded_run(
    work: Callable[[], Coroutine[None, None, _Result]],
    explain: Callable[[Exception], tuple[str, int]] = explained,
) -> _Result:
    """Run a command's work on an event loop, with logging as it is."""
    import asyncio

    return guarded(lambda: asyncio.run(work()), explain)


def guarded(
    work: Callable[[], _Result], explain: Callable[[Exception], tuple[str, int]] = explained
) -> _Result:
    """Do the work; whatever goes wrong becomes one line on stderr and an exit code.

    Raises:
        typer.Exit: 1 when it failed, 2 when it was asked for wrongly.
    """
    try:
        return work()
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001  a traceback would show locals, and so secrets
        text, code = explain(error)
    raise failure(text, code)


def failure(text: str, code: int = FAILED) -> typer.Exit:
    """Say on stderr what to do, and return what ends the command."""
    warn(text, style="red")
    return typer.Exit(code)


def duration_seconds(text: str) -> int:
    """Return the seconds of `90`, `90s`, `10m`, `2h` or `7d`.

    Raises:
        ValueError: it is not written so; the text says how to.
    """
    if not (found := _DURATION.fullmatch(text.strip())):
        raise ValueError("write a number and a unit, such as 90s, 10m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


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


def requester_named(account: str | None, user: str | None) -> Requester | None:
    """Return who asks by --account and --user; None if neither is given.

    Raises:
        CommandError: a user alone is given.
    """
    from domain.model.transport import Requester

    if user is not None and account is None:
        raise CommandError("Give --account beside --user; NATS names both.")
    return None if account is None else Requester(account, user)


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


def write_new_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file that must not exist yet.

    Raises:
        CommandError: it does, or cannot be written.
    """
    try:
        create_file(path, data, mode)
    except FileExistsError:
        advice = f"{path} exists already; remove it or choose another file."
        raise CommandError(advice) from None
    except OSError as error:
        advice = f"{path} cannot be written ({error.strerror}); choose another file."
        raise CommandError(advice) from None
