"""The workloads that run with secrets of this relay: what they were given, for as long as they run.

Kept in memory alone, so that an answer which repeats a value can be cleared of it, and a changed
secret finds those that hold it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.wasmcloud2.start_request import StartRequest
    from domain.model.reference import SecretLocation
    from domain.model.secret import SecretValue
    from domain.model.secret_uri import SecretUri
    from domain.model.selection import Selection
    from domain.model.workload import Workload

    Locate = Callable[[SecretUri], SecretLocation | None]

MAX_HELD: Final = 4096
"""Workloads; beyond, the one that was started first is forgotten."""


class Running(NamedTuple):
    """Which one it is: ids are the operator's, and unique on a host."""

    host: str
    workload_id: str


@dataclass(frozen=True, slots=True)
class Given:
    """What one workload was started with.

    Attributes:
        start: its request, with references and no value in it.
        values: texts, by the text of their reference.
    """

    workload: Workload
    start: StartRequest
    values: Mapping[str, SecretValue] = field(repr=False)

    def plain(self) -> dict[str, str]:
        """Return the values as they are."""
        return {text: str(value.reveal()) for text, value in self.values.items()}

    def filled(self) -> bytes:
        """Write the request with the values in it."""
        return self.start.filled(self.plain())

    def holds(self, selection: Selection, locate: Locate) -> bool:
        """Say whether a selection covers one of its secrets."""
        found = (locate(place.reference) for place in self.start.places)
        return any(place is not None and selection.matches(place) for place in found)


class HeldWorkloads:
    """By host and id."""

    def __init__(self) -> None:
        self._held: OrderedDict[Running, Given] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def find(self, running: Running) -> Given | None:
        """Return what it was given; None if it runs without a secret of this relay."""
        return self._held.get(running)

    def keep(self, running: Running, given: Given) -> None:
        """Remember a workload that runs."""
        self._held.pop(running, None)
        self._held[running] = given
        if len(self._held) > MAX_HELD:
            self._held.popitem(last=False)

    def forget(self, running: Running) -> None:
        """Forget a workload that does not run any more, or was started again."""
        self._held.pop(running, None)

    def on(self, host: str) -> tuple[Given, ...]:
        """Return what the workloads of one host were given."""
        return tuple(given for running, given in self._held.items() if running.host == host)

    def holding(self, selection: Selection, locate: Locate) -> list[Running]:
        """Return the workloads that hold a secret that is selected, the oldest first."""
        return [running for running, given in self._held.items() if given.holds(selection, locate)]
