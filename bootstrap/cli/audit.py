"""`audit`: the audit trail as it happens, readable."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from nats.aio.client import Client
from rich.text import Text

from adapters.audit.file_reader import read_file
from adapters.audit.reading import AuditReadError
from adapters.audit.stream_config import DEFAULT_STREAM, refused_stream
from adapters.audit.stream_reader import is_there, read_streams
from adapters.system.clock import SystemClock
from adapters.telemetry.audit_record import EVENT
from bootstrap.cli.audit_filter import EventFilter, Stream
from bootstrap.cli.audit_verify import verify
from bootstrap.cli.durations import METAVAR, duration_seconds
from bootstrap.cli.reporting import CommandError, command_group, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import printable, say, warn, write_stored
from domain.model.audit import Outcome
from ports.clock import Clock

app = command_group("audit", "Show who asked for what, and what became of it.")

_INTERRUPTED = 130
_COLOURS = {"answered": "green", "refused": "red", "cancelled": "yellow"}
_SHOWN_OF_A_KEY = 8


app.command()(verify)


@app.command()
def tail(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Begin that long ago, such as 90s, 10m, 2h or 7d.")
    ] = "10m",
    follow: Annotated[
        bool, typer.Option(help="Go on showing events as they come, until Ctrl-C.")
    ] = True,
    errors_only: Annotated[
        bool, typer.Option("--errors-only", help="Show only what was not answered.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Show only this key or path, or those that begin so.")
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option(
            help="Show only this entity or workload, by the beginning of its key or name."
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Show only this reason code.")] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(help="Show only what came to this.", case_sensitive=False)
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also show hosts asking for the server's xkey, and probes of keys rotate."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write events byte for byte as they are stored.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="Read this file instead of the stream.", dir_okay=False)
    ] = None,
    stream: Stream = DEFAULT_STREAM,
) -> None:
    """Show audit events, oldest first, from the two JetStream streams or a file."""

    async def show() -> None:
        clock = SystemClock()
        begin = max(0.0, clock.now() - _age(since))
        wanted = EventFilter(
            key=key,
            entity=entity,
            reason=reason,
            outcome=outcome,
            errors_only=errors_only,
            everything=everything,
        )
        if file is not None:
            await _show(read_file(file, clock, follow=follow), begin, wanted, as_json)
            return
        async with session()() as client:
            events = both_streams(client, stream, clock, begin, follow=follow)
            await _show(events, begin, wanted, as_json)

    try:
        run(show)
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


async def both_streams(
    client: Client, stream: str, clock: Clock, begin: float, *, follow: bool
) -> AsyncIterator[bytes]:
    """Read a stream and the one beside it, which keeps the refusals, in the order of time."""
    streams = [stream]
    beside = refused_stream(stream)
    if await is_there(client, beside):
        streams.append(beside)
    else:
        warn(f"There is no stream {beside}: refusals are not shown.", style="dim")
    async with aclosing(
        cast("Any", read_streams(client, streams, clock, since=begin, follow=follow))
    ) as lines:
        async for line in lines:
            yield line


async def _show(
    lines: AsyncIterator[bytes],
    begin: float,
    wanted: EventFilter,
    as_json: bool,  # noqa: FBT001  the command's own option
) -> None:
    # Timestamps are of one form, in which the order of texts is the order of times.
    earliest = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        async with aclosing(cast("Any", lines)) as open_lines:
            async for line in open_lines:
                event = _read(line)
                if event is None:
                    warn("A line that is no audit event was left out.", style="dim")
                    continue
                if str(event.get("timestamp", "")) < earliest:
                    continue
                if not wanted.shows(event):
                    continue
                if as_json:
                    write_stored(line)
                else:
                    say(describe(event))
    except AuditReadError as error:
        advice = str(error)
    else:
        return
    raise CommandError(advice)


def describe(event: dict[str, Any]) -> Text:
    """Return one line for a person: when, the outcome, who wanted what, why, and how long."""
    outcome = _text(event, "outcome")
    time = _text(event, "timestamp").replace("T", " ").removesuffix("Z")[:-3]
    line = Text.assemble(
        (time, "dim"),
        "  ",
        (f"{outcome:<9}", _COLOURS.get(outcome, "")),
        "  ",
        (_who(event), "bold"),
        " → ",
        _what(event),
        "  ",
        (_why(event), "" if outcome == "answered" else "red"),
        (f"  {_text(event, 'duration_ms')} ms  {_text(event, 'request_id')}", "dim"),
    )
    line.no_wrap = True
    return line


def _who(event: dict[str, Any]) -> str:
    workload = _text(event, "workload_name")
    if workload:
        namespace, environment = (
            _text(event, f"workload_{part}") for part in ("namespace", "environment")
        )
        return f"workload {namespace}/{workload} in {environment}"
    entity = _text(event, "entity")
    if not entity:
        account = _text(event, "requester_account")
        return f"account {account}" if account else "unknown"
    key = entity if len(entity) <= _SHOWN_OF_A_KEY else f"{entity[:_SHOWN_OF_A_KEY]}…"
    name = _text(event, "entity_name")
    application = _text(event, "application")
    named = "/".join(part for part in (application, name) if part)
    kind = _text(event, "entity_kind")
    return f"{kind} {named} ({key})" if named else f"{kind} {key}"


def _what(event: dict[str, Any]) -> str:
    if "key" not in event:
        return _text(event, "operation")
    field, asked = _text(event, "field"), _text(event, "version_asked")
    served = _text(event, "version_served")
    version = served or asked
    return "".join(
        (
            _text(event, "key") or '""',
            f" field {field}" if field else "",
            f" version {version}" if version else "",
        )
    )


def _why(event: dict[str, Any]) -> str:
    reason, error, grant = (_text(event, name) for name in ("reason", "error", "grant"))
    if "count" in event:
        reason = f"{reason} ({_text(event, 'count')} such requests)"
    if error:
        return f"{error}: {reason}"
    return f"{reason} by {grant}" if grant else reason


def _text(event: dict[str, Any], name: str) -> str:
    """Return a field as text that cannot steer a terminal."""
    value = event.get(name)
    return "" if value is None else printable(str(value))


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    # With a shared NATS account JetStream's own answers may stand in the stream.
    return event if isinstance(event, dict) and event.get("event") == EVENT else None


def _age(text: str) -> int:
    try:
        return duration_seconds(text)
    except ValueError as error:
        raise CommandError(f"--since is no length of time: {error}.") from None
