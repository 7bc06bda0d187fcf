"""`keys`: make nkeys and xkeys, rotate the server's, and tell what a key is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.crypto.inspection import describe_key
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.seed_file import write_seed
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli.key_kinds import KINDS, key_kind
from bootstrap.cli.reporting import CommandError, guarded
from bootstrap.cli.rotate import rotate
from bootstrap.cli.terminal import say

app = typer.Typer(
    name="keys",
    help="Make, rotate and inspect keys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.command("rotate")(rotate)


@app.command()
def generate(
    kind: Annotated[
        KeyKind,
        typer.Argument(
            parser=key_kind,
            metavar="KIND",
            help=f"{KINDS}. SERVER_XKEY_SEED holds an xkey.",
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the seed to a new file that only you can read."),
    ] = None,
) -> None:
    """Make a key; prints the public key, and the seed unless it goes to a file."""
    pair = SodiumXKeyPair.generate() if kind is KeyKind.XKEY else SigningKey.generate(kind)
    if out is None:
        say(f"public: {pair.public}\nseed: {pair.seed_text()}")
        return
    guarded(lambda: _write(out, pair.seed_text()))
    say(f"public: {pair.public}\nseed: in {out}")


@app.command()
def inspect(
    text: Annotated[
        str | None,
        typer.Argument(
            show_default=False,
            help="A public key. Give seeds by standard input: process lists show arguments.",
        ),
    ] = None,
) -> None:
    """Tell a key's kind, and of a seed the public key that belongs to it."""
    given = sys.stdin.readline() if text is None else text
    described = guarded(lambda: describe_key(given.strip()))
    what = "seed" if described.is_seed else "public key"
    say(f"kind: {described.kind.name.lower()} ({what})\npublic: {described.public}")


def _write(path: Path, seed: str) -> None:
    try:
        write_seed(path, seed)
    except FileExistsError:
        pass
    else:
        return
    raise CommandError("That file exists already; remove it or choose another.")
