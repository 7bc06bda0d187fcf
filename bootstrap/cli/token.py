"""`token`: sign and inspect the tokens of components, providers and hosts."""

import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.crypto.nkeys_text import KeyKind
from bootstrap.cli.keys import SUBJECT_KINDS, subject_kind
from bootstrap.cli.reporting import (
    FAILED,
    METAVAR,
    command_group,
    duration_seconds,
    guarded,
    read_seed,
)
from bootstrap.cli.terminal import say

if TYPE_CHECKING:
    from adapters.crypto.inspection import TokenDescription

app = command_group("token", "Sign and inspect tokens.")


@app.command()
def sign(
    issuer_seed_file: Annotated[
        Path, typer.Option(help="The seed of the account that signs (SA…).")
    ],
    *,
    subject: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="Public key that it is for (M…, V…, N…); default: a new one."
        ),
    ] = None,
    kind: Annotated[
        KeyKind,
        typer.Option(
            parser=subject_kind,
            metavar="KIND",
            show_default=False,
            help=f"What a new subject is: {SUBJECT_KINDS}; default: component.",
        ),
    ] = KeyKind.COMPONENT,
    name: Annotated[str | None, typer.Option(help="Name to write into the token.")] = None,
    revision: Annotated[
        int | None, typer.Option("--rev", min=0, help="Revision to write into the token.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tag to write into the token; may be repeated.")
    ] = None,
    expires_in: Annotated[
        int | None,
        typer.Option(
            parser=duration_seconds,
            metavar=METAVAR,
            show_default=False,
            help="Such as 90s, 10m, 2h or 7d. Default: never.",
        ),
    ] = None,
    not_before_in: Annotated[
        int | None,
        typer.Option(
            parser=duration_seconds, metavar=METAVAR, help="Valid only from then on, such as 10m."
        ),
    ] = None,
) -> None:
    """Sign a token and print it."""
    from adapters.crypto.token_signer import SigningKey, sign_token
    from adapters.system.clock import SystemClock

    said = {"name": name, "tags": tag, "rev": revision}
    metadata = {member: value for member, value in said.items() if value is not None}

    def signed() -> str:
        issuer = SigningKey.from_seed(
            read_seed(issuer_seed_file, "the issuer's seed"), KeyKind.ACCOUNT
        )
        now = int(SystemClock().now())
        return sign_token(
            issuer,
            subject or SigningKey.generate(kind).public,
            token_id=str(uuid.uuid4()),
            issued_at=now,
            expires_at=None if expires_in is None else now + expires_in,
            not_before=None if not_before_in is None else now + not_before_in,
            metadata=metadata or None,
        )

    say(guarded(signed))


@app.command()
def inspect(
    text: Annotated[
        str | None,
        typer.Argument(show_default=False, help="The token; default: read from standard input."),
    ] = None,
) -> None:
    """Show what a token says and whether its signature and times hold.

    Exit code 1 if they do not. A good signature alone makes no issuer trusted.
    """
    from adapters.crypto.inspection import describe_token

    given = sys.stdin.readline() if text is None else text
    description = guarded(lambda: describe_token(given.strip()))
    shown = _shown(description)
    say(json.dumps(shown, indent=2))
    if shown["verdict"] != "good_signature" or shown.get("times") != "valid":
        raise typer.Exit(FAILED)


def _shown(description: "TokenDescription") -> dict[str, object]:
    from adapters.system.clock import SystemClock

    claims, times = description.claims, None
    if claims is not None:
        times = claims.time_problem(SystemClock().now(), leeway=0) or "valid"
    shown = {
        "verdict": description.verdict,
        "problem": description.problem,
        "kind": None if claims is None else claims.kind.value,
        "times": times,
        "header": description.header,
        "claims": description.document,
    }
    return {name: said for name, said in shown.items() if said is not None}
