"""`audit why`: from what the operator reads at the host to the secret and the cause."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.text import Text

from adapters.audit.file_reader import read_file
from adapters.audit.reading import AuditReadError
from adapters.audit.stream_config import DEFAULT_STREAM
from adapters.system.clock import SystemClock
from bootstrap.cli import audit
from bootstrap.cli.audit_filter import Stream
from bootstrap.cli.durations import METAVAR
from bootstrap.cli.progress import progress
from bootstrap.cli.reporting import FAILED, CommandError, failure, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import say, write_stored
from domain.model.host_text import FETCH_FAILED, host_text, knows
from domain.model.transport import WORKLOAD_READ, Operation

_REQUEST = "(request "
_READS = frozenset({str(Operation.GET), WORKLOAD_READ})


def why(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Look that far back, such as 90s, 10m or 2h.")
    ] = "1h",
    host: Annotated[str | None, typer.Option(help="The host's key (N…), or its beginning.")] = None,
    application: Annotated[str | None, typer.Option(help="The wadm application.")] = None,
    component: Annotated[
        str | None,
        typer.Option(help="The component's, provider's or workload's name, or its key (M…, V…)."),
    ] = None,
    said: Annotated[
        str | None,
        typer.Option("--said", metavar="TEXT", help="The error as the host's event has it."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="So many refusals, newest first.")] = 1,
    file: Annotated[
        Path | None, typer.Option(help="Read this file instead of the stream.", dir_okay=False)
    ] = None,
    stream: Stream = DEFAULT_STREAM,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the events, one a line, as they are stored.")
    ] = False,
) -> None:
    """Show the last secrets that a host did not get, which its own texts never name.

    Exit code 1 if there are none in that time.
    """

    async def find() -> list[bytes]:
        clock = SystemClock()
        begin = max(0.0, clock.now() - audit._age(since))  # noqa: SLF001  one command group
        wanted = _Wanted(host, application, component, said)
        if file is not None:
            return await _matching(
                read_file(file, clock, follow=False), begin, wanted, last, as_json=as_json
            )
        async with session()() as client:
            lines = audit.both_streams(client, stream, clock, begin, follow=False)
            return await _matching(lines, begin, wanted, last, as_json=as_json)

    found = run(find)
    if not found:
        raise failure(
            f"No refusal of that kind in the last {since}. If the host says `no responders` or "
            "`deadline has elapsed`, the request never arrived or was not answered: see "
            "docs/troubleshooting.md.",
            FAILED,
        )
    for line in found:
        if as_json:
            write_stored(line)
            continue
        for shown in _explained(json.loads(line)):
            say(shown)


class _Wanted:
    """What the operator knows of the failed start."""

    def __init__(
        self, host: str | None, application: str | None, component: str | None, said: str | None
    ) -> None:
        self._host, self._application, self._component = host, application, component
        self._said = None if said is None else said.strip()

    def matches(self, event: dict[str, Any]) -> bool:
        if event.get("operation") not in _READS or event.get("outcome") == "answered":
            return False
        if self._application is not None and event.get("application") != self._application:
            return False
        if self._host is not None and not _begins(event, ("host", "host_name"), self._host):
            return False
        names = ("entity", "entity_name", "workload_name")
        if self._component is not None and not _begins(event, names, self._component):
            return False
        return self._said is None or self._is_said_of(event)

    def _is_said_of(self, event: dict[str, Any]) -> bool:
        said = self._said or ""
        if _REQUEST in said:
            return f"{_REQUEST}{event.get('request_id')})" in said
        text = _said_at_the_host(event)
        return text is not None and (text in said or said.removeprefix(FETCH_FAILED) in text)


async def _matching(
    lines: AsyncIterator[bytes], begin: float, wanted: _Wanted, last: int, *, as_json: bool
) -> list[bytes]:
    earliest = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    found: list[bytes] = []
    try:
        with progress("events read", as_json=as_json) as advance:
            async with aclosing(cast("Any", lines)) as open_lines:
                async for line in open_lines:
                    advance(1)
                    event = audit._read(line)  # noqa: SLF001  one command group
                    if event is not None and str(event.get("timestamp", "")) >= earliest:
                        found += [line] if wanted.matches(event) else []
                        del found[:-last]
    except AuditReadError as error:
        advice = str(error)
    else:
        return found[::-1]
    raise CommandError(advice)


def _begins(event: dict[str, Any], members: tuple[str, ...], text: str) -> bool:
    return any(str(event.get(member) or "").startswith(text) for member in members)


def _said_at_the_host(event: dict[str, Any]) -> str | None:
    name = str(event.get("error"))
    text = f"{event.get('advice')} {_REQUEST}{event.get('request_id')})"
    if event.get("operation") == WORKLOAD_READ:
        return f"{name}: {text}"
    return host_text(name, text) if knows(name) else None


def _explained(event: dict[str, Any]) -> list[Text]:
    pairs = [
        ("the host says", _said_at_the_host(event)),
        ("place", _place(event)),
        ("cause", event.get("reason")),
        ("decided", event.get("decision")),
        ("what to do", event.get("advice")),
        ("host", event.get("host_name") or event.get("host")),
        ("request", event.get("request_id")),
    ]
    shown = {name: audit._text({"": text}, "") for name, text in pairs if text}  # noqa: SLF001
    return [
        audit.describe(event),
        *(Text.assemble((f"  {name:<14}", "dim"), text) for name, text in shown.items()),
    ]


def _place(event: dict[str, Any]) -> str | None:
    scope = [
        f"{name.removeprefix('scope_')} {value}"
        for name, value in event.items()
        if name.startswith("scope_")
    ]
    path = event.get("path")
    return None if path is None else " in ".join([str(path), ", ".join(scope)][: 1 + bool(scope)])


app = audit.app
app.command("why")(why)
