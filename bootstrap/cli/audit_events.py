"""Audit events as the `audit` commands choose, read and show them."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from rich.text import Text

from adapters.audit.file_reader import read_file
from adapters.audit.stream_names import refused_stream
from adapters.audit.stream_reader import is_there, read_streams
from adapters.console.reasons import OBSERVED, reasons
from adapters.system.clock import SystemClock
from adapters.telemetry.audit_record import EVENT
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import CommandError, duration_seconds
from bootstrap.cli.terminal import printable, say, warn, write_stored
from domain.model.errors import KeyProbe
from domain.model.messages import PROBE_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

Event: TypeAlias = dict[str, Any]

_NAMES_OF_ENTITIES: Final = ("entity", "entity_name", "workload_name")

_COLOURS: Final = {"answered": "green", "refused": "red", "cancelled": "yellow"}
_SHOWN_OF_A_KEY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What an event must have to be shown; None is not looked at.

    Attributes:
        key: the key or the path, or the beginning of either.
        entity: the entity's key or name, or the workload's name, or the beginning of either.
        errors_only: only what was not answered.
        everything: also what is no request for a secret, such as hosts that ask for the server's
            xkey, and probes of `keys rotate`.
    """

    key: str | None = None
    entity: str | None = None
    reason: str | None = None
    outcome: str | None = None
    errors_only: bool = False
    everything: bool = False

    def shows(self, event: Event) -> bool:
        """Say whether an event is to be shown."""
        if not self.everything and _is_traffic(event):
            return False
        if self.errors_only and event.get("outcome") == "answered":
            return False
        return (
            begins(event, ("key", "path"), self.key)
            and is_of_entity(event, self.entity)
            and self.reason in {None, event.get("reason")}
            and self.outcome in {None, event.get("outcome")}
        )


def doubt_of_reason(code: str) -> str | None:
    """Return what a person should know who asks for a reason that this version does not write.

    A trail may hold others: of another version, or of a store that is not shipped.
    """
    known = reasons()
    if code.removeprefix(OBSERVED) in known:
        return None
    near = get_close_matches(code, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else "docs/reasons.md lists those it writes."
    return f"This version writes no reason {code}. {hint}"


def _is_traffic(event: Event) -> bool:
    """Say whether it is part of the protocol alone; a refusal that names no key is not."""
    if event.get("operation") == "server_xkey" or event.get("key") == PROBE_KEY:
        return True
    # Summed up, the events of probes name no key.
    return event.get("reason") == KeyProbe.default_reason


def begins(event: Event, names: tuple[str, ...], wanted: str | None) -> bool:
    """Say whether one of these fields begins so; None is not looked for."""
    return wanted is None or any(str(event.get(name) or "").startswith(wanted) for name in names)


def is_of_entity(event: Event, wanted: str | None) -> bool:
    """Say whether the entity's key or name, or the workload's name, begins so."""
    return begins(event, _NAMES_OF_ENTITIES, wanted)


async def events(
    file: Path | None, stream: str, since: str, *, follow: bool
) -> AsyncGenerator[tuple[bytes, Event | None]]:
    """Yield lines with their events, oldest first; None for a line that holds no event.

    Args:
        file: read in place of a stream and the one beside it, which keeps the refusals.
        since: how long ago the first event is to be.

    Raises:
        AuditReadError: they cannot be read.
        CommandError: `since` is no length of time.
    """
    clock = SystemClock()
    begin = max(0.0, clock.now() - _age_seconds(since))
    # Timestamps are of one form, in which the order of texts is the order of times.
    earliest = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    async with AsyncExitStack() as opened:
        if file is not None:
            lines = read_file(file, clock, follow=follow)
        else:
            client = await opened.enter_async_context(open_nats())
            streams = [stream]
            beside = refused_stream(stream)
            if await is_there(client, beside):
                streams.append(beside)
            else:
                warn(f"There is no stream {beside}: refusals are not shown.", style="dim")
            lines = read_streams(client, streams, clock, since=begin, follow=follow)
        async with aclosing(cast("Any", lines)) as open_lines:
            async for line in open_lines:
                event = event_in(line)
                if event is None or str(event.get("timestamp", "")) >= earliest:
                    yield line, event


async def show_events(
    found: AsyncGenerator[tuple[bytes, Event | None]], wanted: EventFilter, *, as_json: bool
) -> None:
    """Show the wanted events. `as_json`: write them as they are stored."""
    async with aclosing(found):
        async for line, event in found:
            if event is None:
                warn("A line that is no audit event was left out.", style="dim")
            elif wanted.shows(event) and as_json:
                write_stored(line)
            elif wanted.shows(event):
                say(describe(event))


def describe(event: Event) -> Text:
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


def _who(event: Event) -> str:
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


def _what(event: Event) -> str:
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


def _why(event: Event) -> str:
    reason, error, grant = (_text(event, name) for name in ("reason", "error", "grant"))
    if "count" in event:
        reason = f"{reason} ({_text(event, 'count')} such requests)"
    if error:
        return f"{error}: {reason}"
    return f"{reason} by {grant}" if grant else reason


def _text(event: Event, name: str) -> str:
    """Return a field as text that cannot steer a terminal."""
    value = event.get(name)
    return "" if value is None else printable(str(value))


def event_in(line: bytes) -> Event | None:
    """Return the event that a line holds; None if it holds none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    # With a shared NATS account JetStream's own answers may stand in the stream.
    return event if isinstance(event, dict) and event.get("event") == EVENT else None


def _age_seconds(text: str) -> int:
    try:
        return duration_seconds(text)
    except ValueError as error:
        raise CommandError(f"--since is no length of time: {error}.") from None
