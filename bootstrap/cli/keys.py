"""`keys`: make nkeys and xkeys, rotate the server's, and tell what a key is."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.seed_file import SeedFileError, write_seed
from adapters.crypto.wascap_claims import IDENTITY_KINDS
from bootstrap.cli.reporting import AsJson, CommandError, command_group, guarded, run
from bootstrap.cli.terminal import say, write_json

app = command_group("keys", "Make, rotate and inspect keys.")

KINDS: Final = "xkey (X), account (A), component (M), provider (V), host (N) or user (U)"
SUBJECT_KINDS: Final = "component (M), provider (V) or host (N)"

_KINDS = {
    "xkey": KeyKind.XKEY,
    "curve": KeyKind.XKEY,
    "account": KeyKind.ACCOUNT,
    "component": KeyKind.COMPONENT,
    "module": KeyKind.COMPONENT,
    "provider": KeyKind.PROVIDER,
    "service": KeyKind.PROVIDER,
    "host": KeyKind.HOST,
    "server": KeyKind.HOST,
    "user": KeyKind.USER,
}
_BY_WORD = _KINDS | {kind.value.lower(): kind for kind in _KINDS.values()}


def key_kind(text: str) -> KeyKind:
    """Read a kind of key.

    Raises:
        typer.BadParameter: there is no such kind, or the service and its hosts use none.
    """
    kind = _BY_WORD.get(text.strip().lower())
    if kind is None:
        raise typer.BadParameter(f"Write {KINDS}.")
    return kind


def subject_kind(text: str) -> KeyKind:
    """Read the kind of a key that a token can be for.

    Raises:
        typer.BadParameter: no token is for such a key.
    """
    kind = _BY_WORD.get(text.strip().lower())
    if kind not in IDENTITY_KINDS:
        raise typer.BadParameter(f"Write {SUBJECT_KINDS}.")
    return kind


@app.command()
def rotate(
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The seed file; otherwise that of SERVER_XKEY_SEED_FILE.", dir_okay=False
        ),
    ] = None,
    replicas: Annotated[
        int,
        typer.Option(min=1, help="How many must answer: every worker of every replica counts."),
    ] = 1,
    check: Annotated[bool, typer.Option(help="Ask the running replicas before each step.")] = True,
    finish: Annotated[
        bool, typer.Option("--finish", help="The last step: forget the old key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do the next step of a rotation, and say what to do before the one after it.

    Run it again after each step. It asks the running replicas whether they are ready for the step,
    and changes nothing if they are not. It asks as a host does, so log in to NATS as a host.
    """
    from bootstrap.cli.rotation_step import answers_text, next_step

    seen, key, done = run(
        lambda: next_step(file, replicas, check=check, finish=finish, as_json=as_json)
    )
    if as_json:
        keys = {name.replace(" ", "_"): public for name, public in done.keys.items()}
        answered = None if seen is None else len(seen.openers)
        write_json({"step": done.step, "replicas": answered, **keys})
        return
    if seen is not None:
        say(answers_text(seen, key))
    say(done.text)


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
    if as_json:
        write_json(shown)
    else:
        say("\n".join(f"{name}: {text}" for name, text in shown.items()))


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


def _write(path: Path, seed: str) -> None:
    try:
        write_seed(path, seed)
    except FileExistsError:
        advice = "names a file that exists already; remove it or choose another."
        raise CommandError(f"--out {advice}") from None
    except SeedFileError as error:
        raise CommandError(f"--out {error}") from None
