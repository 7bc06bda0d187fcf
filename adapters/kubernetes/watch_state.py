"""What a watch knows of its Secrets, and which have changed: no I/O and no clock.

empty ──list──▶ complete ──events, bookmarks──▶ complete
  ▲                │ 410
  └────────────────┘   (what was known stays, to be compared)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from adapters.kubernetes.watch_events import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.kubernetes.secret_object import State
    from adapters.kubernetes.watch_events import Event

MAX_READS: Final = 4096
"""Reads kept until the watch is complete for the first time; the oldest go first."""


Changes: TypeAlias = "Mapping[str, str]"
"""Changed Secrets by name, each with what every process that sees the same change calls it."""


class WatchState:
    """The Secrets of one namespace, or one of them, by name.

    A Secret's state is its uid with its resourceVersion: one that was deleted and made again under
    its name is another.

    Attributes:
        version: the resourceVersion to go on from; None if all that exists is to be listed.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self._known: dict[str, State] | None = None
        self._reads: dict[str, State | None] = {}

    @property
    def secrets(self) -> int:
        """How many Secrets are known to exist."""
        return len(self._known or ())

    def note_read(self, name: str, state: State | None) -> None:
        """Note what a read found before the watch was complete; None if there was nothing.

        What was read while no watch could tell of a change is compared once the watch is complete.
        """
        if self._known is not None:
            return
        self._reads.pop(name, None)
        self._reads[name] = state
        if len(self._reads) > MAX_READS:
            del self._reads[next(iter(self._reads))]

    def take(self, event: Event) -> Changes:
        """Take an event and return what it shows to have changed."""
        self.version = event.version
        if event.state is None or self._known is None:
            return {}
        if event.kind is Kind.DELETED:
            return {event.name: _gone(self._known.pop(event.name, event.state))}
        if self._known.get(event.name) == event.state:
            return {}
        self._known[event.name] = event.state
        return {event.name: _mark(event.state)}

    def complete(self, found: Mapping[str, State], version: str) -> Changes:
        """Take all that exists as of a version, and return what has changed since it was seen."""
        before: Mapping[str, State | None] = self._reads if self._known is None else self._known
        names = before.keys() if self._known is None else before.keys() | found.keys()
        changes = {
            name: _gone(before.get(name)) if state is None else _mark(state)
            for name in names
            if (state := found.get(name)) != before.get(name)
        }
        self._known, self.version = dict(found), version
        self._reads = {}
        return changes


def _mark(state: State) -> str:
    return "/".join(state)


def _gone(last: State | None) -> str:
    """Name a deletion by what was there, whether it was seen or found out by comparison."""
    return "gone" if last is None else f"gone/{_mark(last)}"
