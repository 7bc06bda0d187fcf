"""Audit events as the `audit` commands read and show them."""

from __future__ import annotations

import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from rich.text import Text

from adapters.audit.file_reader import AuditReadError
from adapters.audit.stream_names import refused_stream
from adapters.audit.stream_reader import is_there, read_streams
from adapters.telemetry.audit_record import EVENT
from bootstrap.cli.durations import duration_seconds
from bootstrap.cli.reporting import CommandError
from bootstrap.cli.terminal import printable, say, warn, write_stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

    from bootstrap.cli.audit_filter import EventFilter
    from ports.clock import Clock

_COLOURS: Final = {"answered": "green", "refused": "red", "cancelled": "yellow"}
_SHOWN_OF_A_KEY: Final = 8


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


async def show_events(
    lines: AsyncIterator[bytes],
    begin: float,
    wanted: EventFilter,
    *,
    as_json: bool,
) -> None:
    """Show the wanted events, oldest first.

    Args:
        begin: seconds since the epoch; earlier ones are left out.
        as_json: write them as they are stored.

    Raises:
        CommandError: they cannot be read.
    """
    # Timestamps are of one form, in which the order of texts is the order of times.
    earliest = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        async with aclosing(cast("Any", lines)) as open_lines:
            async for line in open_lines:
                event = event_in(line)
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


def event_in(line: bytes) -> dict[str, Any] | None:
    """Return the event that a line holds; None if it holds none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    # With a shared NATS account JetStream's own answers may stand in the stream.
    return event if isinstance(event, dict) and event.get("event") == EVENT else None


def age_seconds(text: str) -> int:
    """Read how long ago the first event is to be.

    Raises:
        CommandError: it is no length of time.
    """
    try:
        return duration_seconds(text)
    except ValueError as error:
        raise CommandError(f"--since is no length of time: {error}.") from None
