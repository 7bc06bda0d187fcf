"""`kv`: the commands that write and read secrets in the NATS KV bucket.

A value never stands on the command line, where shells and process lists keep it.
"""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Protocol, TypeVar, cast

import typer

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats_kv.keys import is_served
from adapters.nats_kv.writer import Revision, VersionConflictError
from adapters.system.files import create_file
from bootstrap.cli.terminal import is_plain, printable, say, show_table, warn
from bootstrap.settings import SettingsError
from domain.model.errors import SecretsError
from domain.model.secret import Secret
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

app = typer.Typer(
    name="kv",
    help="Write and read the secrets in the NATS KV bucket.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Result = TypeVar("_Result")


class KvReader(Protocol):
    """What the commands need of `adapters.nats_kv.store.NatsKvSecretStore`."""

    async def get(self, key: str, version: str | None = None) -> Secret: ...


class KvWriter(Protocol):
    """What the commands need of `adapters.nats_kv.writer.NatsKvSecretWriter`."""

    async def put(self, key: str, value: str | bytes, expected: str | None = None) -> str: ...
    async def history(self, key: str) -> list[Revision]: ...
    async def keys(self, prefix: str = "") -> list[str]: ...
    async def delete(self, key: str, *, keep_history: bool = False) -> None: ...


class OpenKv(Protocol):
    """Reads the settings, connects, and closes again at the end of the context.

    Raises SettingsError, NatsConnectError, StoreMisconfiguredError or StoreUnreachableError, each
    with a text for the person at the terminal.
    """

    def __call__(self) -> AbstractAsyncContextManager[tuple[KvReader, KvWriter]]: ...


def session() -> OpenKv:
    """Return `bootstrap.cli.kv_session.open_kv`, imported only once a command needs it."""
    return cast("OpenKv", importlib.import_module("bootstrap.cli.kv_session").open_kv)


_EXPECTED_ERRORS = (
    SecretsError,
    VersionConflictError,
    SettingsError,
    NatsConnectError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)

Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as API_KEY or payments/API_KEY.")]


@app.command()
def put(
    key: Key,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Store this file's bytes.", exists=True, dir_okay=False),
    ] = None,
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Ask for the value, twice, without showing it.")
    ] = False,
    keep_newline: Annotated[
        bool, typer.Option("--keep-newline", help="Keep the newline at the end of standard input.")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Store only if this is the latest version; 0: only if there is no value.",
        ),
    ] = None,
) -> None:
    """Store a value, read from standard input unless told otherwise."""
    if file is not None and prompt:
        raise _failure("Give the value by --file or by --prompt, not both.")
    if file is not None:
        value = file.read_bytes()
    elif prompt or sys.stdin.isatty():
        value = _ask_for_value(key)
    else:
        value = sys.stdin.buffer.read()
        if not keep_newline:
            value = value.removesuffix(b"\n").removesuffix(b"\r")
    version = _run(lambda _, writer: writer.put(key, value, expect))
    say(f"Stored {printable(key)} as version {version} ({len(value)} bytes).")


@app.command()
def get(
    key: Key,
    *,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="An older version; see history.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the exact bytes, without a newline after them.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the exact bytes to a new file that only you can read."),
    ] = None,
) -> None:
    """Show a secret's value."""
    value = _run(lambda reader, _: reader.get(key, version)).value.reveal()
    plain = value.encode() if isinstance(value, str) else value
    if output is not None:
        _write_private(output, plain)
    elif raw:
        sys.stdout.buffer.write(plain)
        sys.stdout.buffer.flush()
    elif isinstance(value, str):
        if not is_plain(value):
            raise _failure(
                "The value holds control characters, which a terminal may obey; use --output FILE, "
                "or --raw."
            )
        typer.echo(value)
    else:
        raise _failure(f"The value is binary ({len(plain)} bytes); use --output FILE, or --raw.")


@app.command("list")
def list_keys(
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="Such as payments/.")] = "",
) -> None:
    """List the keys that have a value, one a line."""
    names = _run(lambda _, writer: writer.keys(prefix))
    for name in names:
        say(name)
    if unserved := [name for name in names if not is_served(name)]:
        warn(
            f"No request can reach {len(unserved)} of these keys, such as "
            f"{printable(unserved[0])}. Store them under names without a leading, trailing or "
            'doubled "/".'
        )


@app.command()
def history(key: Key) -> None:
    """List a secret's versions and deletions, oldest first, without values."""
    rows = [
        (
            revision.version,
            "" if revision.created is None else revision.created.isoformat(" ", "seconds"),
            revision.operation.value,
            str(revision.size),
        )
        for revision in _run(lambda _, writer: writer.history(key))
    ]
    show_table(("Version", "Written", "Operation", "Bytes"), rows, boxed=False)


@app.command()
def delete(
    key: Key,
    *,
    keep_history: Annotated[
        bool, typer.Option("--keep-history", help="Old versions can still be asked for.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a secret with all its versions."""
    what = key if keep_history else f"{key} with all its versions"
    if not yes:
        typer.confirm(f"Delete {printable(what)}?", abort=True)
    _run(lambda _, writer: writer.delete(key, keep_history=keep_history))
    say(f"Deleted {printable(what)}.")


def _run(command: Callable[[KvReader, KvWriter], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with session()() as (reader, writer):
            return await command(reader, writer)

    try:
        return asyncio.run(run())
    except _EXPECTED_ERRORS as error:
        advice = str(error)
    except Exception as error:  # noqa: BLE001  a traceback at the terminal could show a value
        advice = f"The command failed in a way nobody foresaw ({type(error).__name__}); report it."
    raise _failure(advice)


def _ask_for_value(key: str) -> bytes:
    answer: str = typer.prompt(
        f"Value of {printable(key)}", hide_input=True, confirmation_prompt=True, err=True
    )
    return answer.encode("utf-8", "surrogateescape")


def _write_private(path: Path, plain: bytes) -> None:
    try:
        create_file(path, plain)
    except FileExistsError:
        advice = f"{path} exists already; remove it or choose another file."
    except OSError as error:
        advice = f"{path} cannot be written ({error.strerror}); choose another file."
    else:
        say(f"Wrote {len(plain)} bytes to {path}.")
        return
    raise _failure(advice)


def _failure(text: str) -> typer.Exit:
    warn(text)
    return typer.Exit(1)
