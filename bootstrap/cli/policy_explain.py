"""`policy explain`: which grant allows a request, or what keeps the nearest one from it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.reporting import (
    FAILED,
    MISUSED,
    AsJson,
    CommandError,
    guarded,
    named_values,
    read_text,
    requester_named,
)
from bootstrap.cli.terminal import say, write_json

if TYPE_CHECKING:
    from domain.model.access import Decision
    from domain.model.workload import Workload


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
    workload: Annotated[
        str | None,
        typer.Option(
            metavar="NAMESPACE/NAME", help="Instead of a token: a workload of wasmCloud 2."
        ),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="With --workload: what V2_ENVIRONMENT says there.")
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
    every_grant: Annotated[
        bool,
        typer.Option(
            "--all", help="Show each grant: whether it allows this, or which condition fails."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which grant allows a request, or which condition of the nearest grant refuses it.

    Exit code 0: allowed; 1: refused; 2: it could not be decided.
    """
    from adapters.access_policy.explain import explain as explanation_of
    from adapters.access_policy.hypothetical_caller import (
        entity_of_token,
        host_named,
        hypothetical_entity,
    )
    from adapters.system.clock import SystemClock
    from bootstrap.cli.policy import load
    from domain.model.access import AccessRequest
    from domain.model.identity import Caller
    from domain.model.reference import SecretLocation

    document = load(policy_file, MISUSED)

    def decide() -> "tuple[Decision, str]":
        now = SystemClock().now()
        requester = requester_named(account, user)
        if not key.startswith("/"):
            raise CommandError("Give --key the whole path, as in the audit record: /payments/KEY.")
        token = _token(entity, entity_file)
        caller: Caller | Workload
        if workload is not None or environment is not None:
            _refuse_beside_workload(token, issuer, subject, application, host, account)
            caller = _workload(workload, environment)
        elif token is not None and subject is None and issuer is None:
            caller = Caller(entity_of_token(token, now), host_named(host), application)
        elif token is None and subject is not None and issuer is not None:
            claims = hypothetical_entity(
                document,
                issuer=issuer,
                subject=subject,
                now=now,
                name=name,
                tags=tag or (),
                revision=rev,
                artifact_hash=artifact_hash,
            )
            caller = Caller(claims, host_named(host), application)
        else:
            raise CommandError(
                "Name the entity by --entity, by --entity-file, or by --issuer and --subject; a "
                "workload of wasmCloud 2 by --workload and --environment."
            )
        request = AccessRequest(
            caller=caller,
            location=SecretLocation(
                key, tuple(sorted(named_values("--scope", scope or ()).items()))
            ),
            field=field,
            version=version,
            properties=named_values("--property", properties or ()),
            backend=backend,
            now=now,
            requester=requester,
        )
        return explanation_of(document, request, every_grant=every_grant)

    decision, explanation = guarded(decide)
    if as_json:
        write_json(
            {
                "allowed": decision.allowed,
                "reason": decision.reason,
                "rule": decision.grant,
                "explanation": explanation.split("\n"),
            }
        )
    else:
        say(explanation)
    if not decision.allowed:
        raise typer.Exit(FAILED)


def _workload(name: str | None, environment: str | None) -> "Workload":
    from domain.model.workload import Workload

    namespace, slash, own_name = (name or "").partition("/")
    if not (environment and namespace and slash and own_name):
        raise CommandError(
            "Name a workload by --workload NAMESPACE/NAME and --environment ENVIRONMENT."
        )
    return Workload(environment, namespace, own_name)


def _refuse_beside_workload(*of_tokens: str | None) -> None:
    if any(given is not None for given in of_tokens):
        raise CommandError(
            "A workload has no token: give --workload and --environment, and neither an entity nor "
            "--application, --host, --account or --user."
        )


def _token(entity: str | None, entity_file: Path | None) -> str | None:
    if entity is not None and entity_file is not None:
        raise CommandError("Give the token by --entity or by --entity-file, not both.")
    if entity_file is None:
        return entity
    return (
        sys.stdin.read().strip() if str(entity_file) == "-" else read_text(entity_file, "the token")
    )
