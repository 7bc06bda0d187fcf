"""Refusals in the audit trail: found by what a host says, and explained."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from bootstrap.cli.audit_events import begins, describe, is_of_entity
from bootstrap.cli.terminal import printable, progress
from domain.model.host_text import FETCH_FAILED, host_text, knows
from domain.model.transport import WORKLOAD_READ, Operation

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bootstrap.cli.audit_events import Event

_REQUEST = "(request "
_READS = frozenset({str(Operation.GET), WORKLOAD_READ})


class WantedRefusal(NamedTuple):
    """What the operator knows of the failed start; None is not looked at."""

    host: str | None
    application: str | None
    component: str | None
    said: str | None

    def matches(self, event: Event) -> bool:
        """Whether it is the event of a request that was refused, and of that start."""
        if event.get("operation") not in _READS or event.get("outcome") == "answered":
            return False
        return (
            self.application in {None, event.get("application")}
            and begins(event, ("host", "host_name"), self.host)
            and is_of_entity(event, self.component)
            and (self.said is None or _is_said_of(self.said.strip(), event))
        )


def _is_said_of(said: str, event: Event) -> bool:
    if _REQUEST in said:
        return f"{_REQUEST}{event.get('request_id')})" in said
    text = _said_at_the_host(event)
    return text is not None and (text in said or said.removeprefix(FETCH_FAILED) in text)


async def matching(
    found: AsyncGenerator[tuple[bytes, Event | None]],
    wanted: WantedRefusal,
    last: int,
    *,
    as_json: bool,
) -> list[bytes]:
    """Return the last so many events that match, the latest first."""
    matched: list[bytes] = []
    with progress("events read", as_json=as_json) as advance:
        async with aclosing(found):
            async for line, event in found:
                advance(1)
                if event is not None and wanted.matches(event):
                    matched = [*matched, line][-last:]
    return matched[::-1]


def _said_at_the_host(event: Event) -> str | None:
    name = str(event.get("error"))
    text = f"{event.get('advice')} {_REQUEST}{event.get('request_id')})"
    if event.get("operation") == WORKLOAD_READ:
        return f"{name}: {text}"
    return host_text(name, text) if knows(name) else None


def explained(event: Event) -> list[Text]:
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


def _place(event: Event) -> object:
    scope = [
        f"{name.removeprefix('scope_')} {value}"
        for name, value in event.items()
        if name.startswith("scope_")
    ]
    path = event.get("path")
    if path is None or not scope:
        return path
    return f"{path} in {', '.join(scope)}"
