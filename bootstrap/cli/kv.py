"""`kv`: the commands that write and read secrets in the NATS KV bucket.

A value never stands on the command line, where shells and process lists keep it.
"""

import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.reporting import (
    MISUSED,
    AsJson,
    command_group,
    failure,
    guarded,
    write_new_file,
)
from bootstrap.cli.terminal import (
    NOT_RAW,
    is_plain,
    may_be_shown_raw,
    printable,
    say,
    show_table,
    warn,
    write_json,
)

if TYPE_CHECKING:
    from adapters.nats_kv.operating import NatsKvSecretWriter
    from adapters.nats_kv.store import NatsKvSecretStore

_Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as API_KEY or payments/API_KEY.")]

app = command_group("kv", "Write and read the secrets in the NATS KV bucket.")


@app.command()
def put(
    key: _Key,
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
    create_bucket: Annotated[
        bool, typer.Option("--create-bucket", help="Create the bucket if there is none.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Store the value although this encryption xkey opens no existing value. A service "
            "with the other values' key cannot read it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store a value, read from standard input unless an option says otherwise.

    An existing value is opened first, and nothing is stored if the encryption xkey opens none.
    """
    from bootstrap.cli.kv_session import values_run

    if file is not None and prompt:
        raise failure("Give the value by --file or by --prompt, not both.", MISUSED)
    if file is not None:
        value = file.read_bytes()
    elif prompt or sys.stdin.isatty():
        value = _ask_for_value(key)
    else:
        value = sys.stdin.buffer.read()
        if not keep_newline:
            value = value.removesuffix(b"\n").removesuffix(b"\r")

    async def store(_: "NatsKvSecretStore", writer: "NatsKvSecretWriter") -> tuple[str, bool]:
        version = await writer.put(key, value, expect, any_key=force)
        return version, writer.created_bucket

    version, created = values_run(store, create_bucket=create_bucket)
    if as_json:
        write_json({"key": key, "version": version, "bytes": len(value), "created_bucket": created})
        return
    if created:
        say("Created the bucket, since there was none.")
    size = f"{len(value)} byte{'' if len(value) == 1 else 's'}"
    say(f"Stored {printable(key)} as version {version} ({size}).")


@app.command()
def get(
    key: _Key,
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
    from bootstrap.cli.kv_session import values_run

    value = values_run(lambda reader, _: reader.get(key, version)).value.reveal()
    plain = value.encode() if isinstance(value, str) else value
    if output is not None:
        guarded(lambda: write_new_file(output, plain))
        say(f"Wrote {len(plain)} bytes to {output}.")
    elif raw:
        if not may_be_shown_raw(plain):
            raise failure(NOT_RAW, MISUSED)
        sys.stdout.buffer.write(plain)
        sys.stdout.buffer.flush()
    elif isinstance(value, str):
        if not is_plain(value):
            raise failure(
                "The value holds control characters, which a terminal may obey; use --output FILE, "
                "or pipe --raw."
            )
        typer.echo(value)
    else:
        raise failure(
            f"The value is binary ({len(plain)} bytes); use --output FILE, or pipe --raw."
        )


@app.command("list")
def list_keys(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Such as payments/.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """List the keys that have a value, one a line. Needs no encryption xkey."""
    from adapters.nats_kv.keys import is_served
    from bootstrap.cli.kv_session import catalog_run

    names = catalog_run(lambda catalog: catalog.keys(prefix))
    if as_json:
        write_json(names)
        return
    for name in names:
        say(name)
    if unserved := [name for name in names if not is_served(name)]:
        warn(
            f"No request can reach {len(unserved)} of these keys, such as "
            f"{printable(unserved[0])}. Store them under names without a leading, trailing or "
            'doubled "/".'
        )


@app.command()
def history(key: _Key, *, as_json: AsJson = False) -> None:
    """List a secret's versions and deletions, oldest first. Needs no encryption xkey."""
    from bootstrap.cli.kv_session import catalog_run

    revisions = catalog_run(lambda catalog: catalog.history(key))
    if as_json:
        rows_of_json = [
            {
                "version": each.version,
                "written": None if each.created is None else each.created.isoformat(),
                "operation": each.operation.value,
                "bytes": each.size,
            }
            for each in revisions
        ]
        write_json(rows_of_json)
        return
    rows = [
        (
            each.version,
            "" if each.created is None else each.created.isoformat(" ", "seconds"),
            each.operation.value,
            str(each.size),
        )
        for each in revisions
    ]
    show_table(("version", "written", "operation", "bytes"), rows, right=(0, 3))


@app.command()
def delete(
    key: _Key,
    *,
    keep_history: Annotated[
        bool, typer.Option("--keep-history", help="Old versions can still be asked for.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a secret with all its versions. Needs no encryption xkey."""
    from bootstrap.cli.kv_session import catalog_run

    what = key if keep_history else f"{key} with all its versions"
    if not (yes or _confirmed(f"Delete {printable(what)}?")):
        raise failure("Nothing was deleted.")
    catalog_run(lambda catalog: catalog.delete(key, keep_history=keep_history))
    say(f"Deleted {printable(what)}.")


def _ask_for_value(key: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            answer: str = typer.prompt(
                f"Value of {printable(key)}", hide_input=True, confirmation_prompt=True, err=True
            )
    except GetPassWarning:
        raise failure(
            "--prompt needs a terminal, which does not show what is typed; pipe the value.", MISUSED
        ) from None
    return answer.encode("utf-8", "surrogateescape")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
    raise failure("Nothing was deleted: standard input gives no answer; give --yes.", MISUSED)
