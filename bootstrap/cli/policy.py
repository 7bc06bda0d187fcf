"""`policy`: check, explain and draft access policy files, before they bite."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from nats.aio.client import Client
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.draft_from_audit import AuditDraft
from adapters.access_policy.draft_from_mappings import (
    MappingsError,
    draft_of_mappings,
    read_mappings,
)
from adapters.access_policy.explain import explain as explanation_of
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.mistakes import AccessPolicyError
from adapters.access_policy.questioned import (
    TokenRefusedError,
    UnusableKeyError,
    entity_of_token,
    host_named,
    imagined_entity,
)
from adapters.access_policy.summary import RuleSummary, denials_in_words, grants_in_words
from adapters.system.clock import SystemClock
from bootstrap.cli.reporting import (
    FAILED,
    MISUSED,
    CommandError,
    failure,
    guarded,
    read_text,
    run,
)
from domain.model.access import AccessRequest, Decision
from domain.model.identity import Caller, Claims
from domain.model.reference import SecretLocation
from domain.model.transport import Requester

app = typer.Typer(
    name="policy",
    help="Check, explain and draft the access policy file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class OpenNats(Protocol):
    """Reads the settings, connects, and closes again at the end of the context.

    Raises SettingsError or NatsConnectError, each with a text for the person at the terminal.
    """

    def __call__(self) -> AbstractAsyncContextManager[Client]: ...


def session() -> OpenNats:
    """Return `bootstrap.cli.nats_session.open_nats`, imported only once a command needs it."""
    return cast("OpenNats", importlib.import_module("bootstrap.cli.nats_session").open_nats)


Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a new file, not standard output."),
]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An access policy file.")],
) -> None:
    """Report every mistake in a policy file, or what it grants."""
    document = _load(file, FAILED)
    rules = document.rules
    revoked = len(rules.revoked_subjects) + len(rules.revoked_tokens)
    _say(
        f"No mistakes. Issuers: {len(rules.issuers)}, grants: {len(rules.grants)}, "
        f"denials: {len(rules.denials)}, revoked: {revoked}."
    )
    _show("Grant", "may read", grants_in_words(document))
    _show("Denial", "may never read", denials_in_words(document))
    if not rules.grants:
        _say("Nothing is granted, so every request is refused.")


@app.command()
def explain(
    *,
    key: Annotated[
        str,
        typer.Option(
            help="The canonical path, as `path` in the audit record shows it: /payments/API_KEY. "
            "Where a manifest's key lies is the store's to say."
        ),
    ],
    policy_file: Annotated[
        Path,
        typer.Option(
            "--policy-file", "--file", envvar="ACCESS_POLICY_FILE", help="The file to judge by."
        ),
    ],
    entity: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="The entity's token (JWT).")
    ] = None,
    entity_file: Annotated[
        Path | None, typer.Option(help="A file that holds that token; - is standard input.")
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(help="Instead of a token: the issuer, by its name in the file or its key."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Instead of a token: the entity's key (M… or V…).")
    ] = None,
    name: Annotated[str | None, typer.Option(help="With --subject: the name in its token.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="With --subject: a tag in its token; repeatable.")
    ] = None,
    rev: Annotated[int | None, typer.Option(help="With --subject: the revision.")] = None,
    artifact_hash: Annotated[
        str | None, typer.Option("--hash", help="With --subject: the hash.")
    ] = None,
    field: Annotated[str | None, typer.Option(help="The field asked for.")] = None,
    version: Annotated[str | None, typer.Option(help="The version asked for.")] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="NAME=VALUE", help="A policy property; repeatable."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="One of the store's coordinates, as scope_… in the audit record; repeatable.",
        ),
    ] = None,
    application: Annotated[str | None, typer.Option(help="The wadm application.")] = None,
    host: Annotated[str | None, typer.Option(help="The host's key (N…).")] = None,
    account: Annotated[str | None, typer.Option(help="The NATS account that asks.")] = None,
    user: Annotated[str | None, typer.Option(help="The NATS user that asks.")] = None,
    backend: Annotated[str, typer.Option(help="The backend's name.")] = "infisical",
) -> None:
    """Say which grant allows a request, or which condition of the nearest grant refuses it.

    Exit code 0: allowed; 1: refused; 2: it could not be decided.
    """
    document = _load(policy_file, MISUSED)

    def decide() -> tuple[Decision, str]:
        now = SystemClock().now()
        if user is not None and account is None:
            raise CommandError("Give --account beside --user; NATS names both.")
        if not key.startswith("/"):
            raise CommandError("Give --key the whole path, as in the audit record: /payments/KEY.")
        token = _token(entity, entity_file)
        if token is not None and subject is None and issuer is None:
            claims = _entity_of_token(token, now)
        elif token is None and subject is not None and issuer is not None:
            try:
                claims = imagined_entity(
                    document,
                    issuer=issuer,
                    subject=subject,
                    now=now,
                    name=name,
                    tags=tag or (),
                    revision=rev,
                    artifact_hash=artifact_hash,
                )
            except UnusableKeyError as error:
                raise CommandError(str(error)) from None
        else:
            raise CommandError(
                "Name the entity by --entity, by --entity-file, or by --issuer and --subject."
            )
        request = AccessRequest(
            caller=Caller(claims, host_named(host), application),
            location=SecretLocation(key, tuple(sorted(_pairs("--scope", scope).items()))),
            field=field,
            version=version,
            properties=_pairs("--property", properties),
            backend=backend,
            now=now,
            requester=None if account is None else Requester(account, user),
        )
        return explanation_of(document, request)

    decision, explanation = guarded(decide)
    _say(explanation)
    if not decision.allowed:
        raise typer.Exit(FAILED)


@app.command()
def draft(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[AUDIT_LOG]...", help="Log files (JSON lines); standard input if none."
        ),
    ] = None,
    *,
    output: Output = None,
) -> None:
    """Turn the audit log of observed requests into a draft of a policy file.

    Run the service with AUTHORIZATION_MODE=observe until every application has started once, then
    give its log to this command, read the draft, and name the issuers in it.
    """
    drafted = AuditDraft()

    def read() -> None:
        for path in logs or (Path("-"),):
            drafted.take(_log_lines(path))

    guarded(read)
    for reason, count in sorted(drafted.left_out.items()):
        _warn(f"Left out: {count} {reason}.")
    if not drafted.used:
        raise failure("There is no answered request in this log; give the service's JSON lines.")
    _deliver(drafted.text(), output)


@app.command("import-nats-kv")
def import_nats_kv(
    *,
    bucket_name: Annotated[
        str,
        typer.Option(
            "--bucket-name",
            metavar="NAME",
            help="The old backend's name: its mappings are in the bucket SECRETS_{NAME}_state.",
        ),
    ] = "nats-kv",
    output: Output = None,
) -> None:
    """Turn the entity-to-secrets mappings of a secrets-nats-kv backend into a draft."""

    async def read() -> dict[str, bytes] | MappingsError:
        try:
            async with session()() as client:
                return await read_mappings(client, bucket_name)
        except MappingsError as error:
            return error

    mappings = run(read)
    if isinstance(mappings, MappingsError):
        raise failure(str(mappings))
    text, left_out = draft_of_mappings(mappings)
    for line in left_out:
        _warn(f"Left out: {line}")
    _deliver(text, output)


def _load(path: Path, exit_code: int) -> PolicyDocument:
    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        mistakes = error.mistakes
    for mistake in mistakes:
        _warn(str(mistake))
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)


def _token(entity: str | None, entity_file: Path | None) -> str | None:
    if entity is not None and entity_file is not None:
        raise CommandError("Give the token by --entity or by --entity-file, not both.")
    if entity_file is None:
        return entity
    return (
        sys.stdin.read().strip() if str(entity_file) == "-" else read_text(entity_file, "the token")
    )


def _entity_of_token(token: str, now: float) -> Claims:
    try:
        return entity_of_token(token, now)
    except TokenRefusedError as error:
        advice = str(error)
    raise failure(advice)


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name or name in pairs:
            raise CommandError(f"Write {option} as NAME=VALUE, each name once.")
        pairs[name] = value
    return pairs


def _log_lines(path: Path) -> Iterator[bytes]:
    if str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise CommandError(f"{path} cannot be read ({reason}); name a log file.")


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        advice = f"{output} exists already; remove it or choose another file."
    except OSError as error:
        advice = f"{output} cannot be written ({error.strerror}); choose another file."
    else:
        _say(f"Wrote {output}. Read it, name its issuers, then run: policy check {output}")
        return
    raise failure(advice)


def _show(rule: str, verb: str, summaries: list[RuleSummary]) -> None:
    if not summaries:
        return
    conditional = any(summary.only_if for summary in summaries)
    table = Table(rule, "Who", verb, *(["only if"] if conditional else []), show_lines=True)
    for summary in summaries:
        cells = (summary.name, summary.who, summary.what, summary.only_if)
        # As Text, so that brackets in patterns are not read as markup.
        table.add_row(*(Text(cell, overflow="fold") for cell in cells[: len(table.columns)]))
    Console().print(table)


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def _warn(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
