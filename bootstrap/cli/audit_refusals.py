"""Refusals in the audit trail: found by what a host says, and explained."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from adapters.audit.file_reader import AuditReadError
from bootstrap.cli.audit_events import describe, event_in
from bootstrap.cli.progress import progress
from bootstrap.cli.reporting import CommandError
from bootstrap.cli.terminal import printable
from domain.model.host_text import FETCH_FAILED, host_text, knows
from domain.model.transport import WORKLOAD_READ, Operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_REQUEST = "(request "
_READS = frozenset({str(Operation.GET), WORKLOAD_READ})


class WantedRefusal:
    """What the operator knows of the failed start."""

    def __init__(
        self, host: str | None, application: str | None, component: str | None, said: str | None
    ) -> None:
        self._host, self._application, self._component = host, application, component
        self._said = None if said is None else said.strip()

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether it is the event of a request that was refused, and of that start."""
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


async def matching(
    lines: AsyncIterator[bytes], begin: float, wanted: WantedRefusal, last: int, *, as_json: bool
) -> list[bytes]:
    """Return the last so many events that match, the latest first.

    Raises:
        CommandError: they cannot be read.
    """
    earliest = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    found: list[bytes] = []
    try:
        with progress("events read", as_json=as_json) as advance:
            async with aclosing(cast("Any", lines)) as open_lines:
                async for line in open_lines:
                    advance(1)
                    event = event_in(line)
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


def explained(event: dict[str, Any]) -> list[Text]:
    """Return an event in lines for a person, with what to do."""
    pairs = [
        ("the host says", _said_at_the_host(event)),
        ("place", _place(event)),
        ("cause", event.get("reason")),
        ("decided", event.get("decision")),
        ("what to do", event.get("advice")),
        ("host", event.get("host_name") or event.get("host")),
        ("request", event.get("request_id")),
    ]
    shown = {name: printable(str(text)) for name, text in pairs if text}
    return [
        describe(event),
        *(Text.assemble((f"  {name:<14}", "dim"), text) for name, text in shown.items()),
    ]


def _place(event: dict[str, Any]) -> object:
    scope = [
        f"{name.removeprefix('scope_')} {value}"
        for name, value in event.items()
        if name.startswith("scope_")
    ]
    path = event.get("path")
    if path is None or not scope:
        return path
    return f"{path} in {', '.join(scope)}"
