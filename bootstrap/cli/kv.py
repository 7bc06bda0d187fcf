"""`kv`: the commands that write and read secrets in the NATS KV bucket.

A value never stands on the command line, where shells and process lists keep it.
"""

import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Annotated

import typer

from adapters.system.files import create_file
from bootstrap.cli.kv_catalog import delete, history, list_keys
from bootstrap.cli.kv_common import Key, KvReader, KvWriter, values_run
from bootstrap.cli.reporting import MISUSED, AsJson, command_group, failure
from bootstrap.cli.terminal import NOT_RAW, is_plain, may_be_shown_raw, printable, say, write_json

app = command_group("kv", "Write and read the secrets in the NATS KV bucket.")


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

    async def store(_: KvReader, writer: KvWriter) -> tuple[str, bool]:
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
    value = values_run(lambda reader, _: reader.get(key, version)).value.reveal()
    plain = value.encode() if isinstance(value, str) else value
    if output is not None:
        _write_private(output, plain)
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


app.command("list")(list_keys)
app.command()(history)
app.command()(delete)


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
    raise failure(advice, MISUSED)
