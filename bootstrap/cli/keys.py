"""`keys`: make nkeys and xkeys, rotate the server's, and tell what a key is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.seed_file import SeedFileError, write_seed
from bootstrap.cli.key_kinds import KINDS, key_kind
from bootstrap.cli.reporting import AsJson, CommandError, command_group, guarded
from bootstrap.cli.rotate import rotate
from bootstrap.cli.terminal import say, write_json

app = command_group("keys", "Make, rotate and inspect keys.")


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
    as_json: AsJson = False,
) -> None:
    """Make a key; prints the public key, and the seed unless it goes to a file."""
    from adapters.crypto.token_signer import SigningKey
    from adapters.crypto.xkeys import SodiumXKeyPair

    pair = SodiumXKeyPair.generate() if kind is KeyKind.XKEY else SigningKey.generate(kind)
    shown = {"public": pair.public}
    if out is None:
        shown["seed"] = pair.seed_text()
    else:
        guarded(lambda: _write(out, pair.seed_text()))
        shown["seed_file" if as_json else "seed"] = str(out) if as_json else f"in {out}"
    _show(shown, as_json=as_json)


@app.command()
def inspect(
    text: Annotated[
        str | None,
        typer.Argument(
            show_default=False,
            help="A public key. Give seeds by standard input: process lists show arguments.",
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell a key's kind, and of a seed the public key that belongs to it."""
    from adapters.crypto.inspection import describe_key

    given = sys.stdin.readline() if text is None else text
    described = guarded(lambda: describe_key(given.strip()))
    kind, is_seed = described.kind.name.lower(), described.is_seed
    if as_json:
        write_json({"kind": kind, "seed": is_seed, "public": described.public})
    else:
        what = "seed" if is_seed else "public key"
        say(f"kind: {kind} ({what})\npublic: {described.public}")


def _show(members: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        write_json(members)
    else:
        say("\n".join(f"{name}: {text}" for name, text in members.items()))


def _write(path: Path, seed: str) -> None:
    try:
        write_seed(path, seed)
    except FileExistsError:
        advice = "names a file that exists already; remove it or choose another."
    except SeedFileError as error:
        advice = str(error)
    else:
        return
    raise CommandError(f"--out {advice}")
