"""`request`: play a wasmCloud host and ask the running service for one secret."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.reporting import MISUSED, CommandError, failure, named_values, run
from bootstrap.cli.terminal import NOT_RAW, is_plain, may_be_shown_raw
from domain.model.transport import HOST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from domain.model.secret import Secret


class Output(StrEnum):
    """How the secret is shown."""

    TEXT = "text"
    RAW = "raw"
    JSON = "json"


def request(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As in the manifest: API_KEY, a/B.")],
    *,
    field: Annotated[str | None, typer.Option(help="One member of a JSON secret.")] = None,
    version: Annotated[str | None, typer.Option(help="Another version than the latest.")] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="NAME=VALUE", help="A policy property; repeatable."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="JSON", help="The whole policy document, sent as it is.")
    ] = None,
    application: Annotated[str | None, typer.Option(help="The wadm application's name.")] = None,
    entity_token_file: Annotated[
        Path | None, typer.Option(help="Ask with this token of a component or provider.")
    ] = None,
    entity_seed_file: Annotated[
        Path | None, typer.Option(help="Ask as the component (SM…) or provider (SV…) of this seed.")
    ] = None,
    issuer_seed_file: Annotated[
        Path | None, typer.Option(help="Sign the token with this account's seed (SA…).")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for each reply.")
    ] = HOST_TIMEOUT_SECONDS,
    output: Annotated[
        Output,
        typer.Option(help="The value if plain text, its exact bytes, or the protocol's JSON."),
    ] = Output.TEXT,
    raw: Annotated[
        bool, typer.Option("--raw", help="The same as --output raw: whatever the bytes are.")
    ] = False,
) -> None:
    """Ask for a secret as a host does, with a made-up identity unless a token is given.

    On NATS the user must be one that may ask, such as a host's.

    Exit code 1 if the service refuses or does not answer; the protocol's error is shown.
    """
    if raw and output is Output.JSON:
        raise typer.BadParameter("Give --raw or --output json, not both.")

    async def ask() -> "Secret":
        from adapters.crypto.inspection import describe_token
        from adapters.crypto.xkeys import SodiumKeyExchange
        from adapters.system.clock import SystemClock
        from bootstrap.cli.as_host import IdentitySource, host_channel
        from bootstrap.cli.refusals import explained
        from domain.model.errors import RequestError
        from domain.model.messages import Application, SecretRequest
        from domain.use_cases.ask_for_secret import HostClient

        identity = IdentitySource(
            token_file=entity_token_file,
            entity_seed_file=entity_seed_file,
            issuer_seed_file=issuer_seed_file,
        )
        sent = Application(name=application, policy=_policy(properties or [], policy))
        context = identity.context(sent, SystemClock())
        message = SecretRequest(key=key, field=field, version=version, context=context)
        async with host_channel() as channel:
            try:
                return await HostClient(channel, SodiumKeyExchange(), timeout).get(message)
            except RequestError as error:
                host = describe_token(context.host_jwt).claims
                text = explained(
                    error,
                    host="" if host is None else host.subject,
                    made_up=identity == IdentitySource(),
                )
        raise failure(text)

    _show(run(ask), Output.RAW if raw else output)


def _policy(properties: list[str], policy: str | None) -> str:
    if policy is not None and properties:
        raise CommandError("Give --policy or --property, not both.")
    if policy is not None or not properties:
        return policy or ""
    from domain.model.policy_properties import PROPERTIES_TYPE

    values = named_values("--property", properties)
    return json.dumps({"type": PROPERTIES_TYPE, "properties": values})


def _show(secret: "Secret", output: Output) -> None:
    from domain.model.replies import write_secret

    value = secret.value.reveal()
    if output is Output.JSON:
        # ASCII alone, which steers no terminal.
        shown = json.dumps(json.loads(write_secret(secret))).encode()
    elif output is Output.TEXT and not (isinstance(value, str) and is_plain(value)):
        raise failure(
            "The value is binary, or holds control characters, which a terminal may obey; pipe "
            "--raw for its exact bytes, or use --output json."
        )
    elif not may_be_shown_raw(value):
        raise failure(NOT_RAW, MISUSED)
    else:
        shown = value.encode() if isinstance(value, str) else value
    sys.stdout.buffer.write(shown)
    if sys.stdout.isatty() or output is Output.JSON:
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
