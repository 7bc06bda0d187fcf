"""From references in a start request to the values that they stand for, kept while they are used.

What a workload was given is kept in memory alone, for as long as it runs, so that an answer which
repeats a value can be cleared of it, and a changed secret finds those that hold it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.model.errors import InvalidRequest
from domain.model.secret import Secret
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.wasmcloud2.start_request import StartRequest
    from domain.model.errors import RequestError
    from domain.model.reference import SecretLocation
    from domain.model.secret import SecretValue
    from domain.model.secret_uri import SecretUri
    from domain.model.selection import Selection
    from domain.use_cases.read_for_workload import ReadsForWorkloads, WorkloadRead
    from ports.clock import Clock

    Locate = Callable[[SecretUri], SecretLocation | None]


MAX_HELD: Final = 4096
"""Workloads; beyond, the one that was started first is forgotten."""

MAX_SHOWN: Final = 8
"""Refusals that one message tells of; the audit trail has all of them."""


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


class FillRefusedError(Exception):
    """At least one reference gets no value; the text says which, why, and what to do. `reasons`:
    constant codes, one a refused reference.
    """

    def __init__(self, text: str, reasons: tuple[str, ...]) -> None:
        super().__init__(text)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Filling:
    """Reads every secret of one workload at the same time.

    Attributes:
        environment: which hosts this relay serves, by the operator's word.
        timeout_seconds: for all reads of one workload.
    """

    read: ReadsForWorkloads
    environment: str
    clock: Clock
    timeout_seconds: float

    async def __call__(self, start: StartRequest) -> Given:
        """Read all that a request refers to.

        Raises:
            FillRefusedError: some secret is not to be had, or is no text.
        """
        deadline = self.clock.monotonic() + self.timeout_seconds
        workload = Workload(self.environment, start.namespace, start.name)
        wanted = {place.text: place.reference for place in start.places}
        reads = await asyncio.gather(
            *(self.read(workload, reference, deadline) for reference in wanted.values())
        )
        values: dict[str, SecretValue] = {}
        refusals: dict[str, tuple[str, str]] = {}
        for text, read in zip(wanted, reads, strict=True):
            outcome = text_outcome(read)
            if isinstance(outcome, Secret):
                values[text] = outcome.value
            else:
                refusals[text] = outcome.reason, shown(outcome, read)
        if refusals:
            refused = [
                f"{place.shown}: {refusals[place.text][1]}"
                for place in start.places
                if place.text in refusals
            ]
            more = f" And {len(refused) - MAX_SHOWN} more." if len(refused) > MAX_SHOWN else ""
            raise FillRefusedError(
                f"secrets were refused. {' '.join(refused[:MAX_SHOWN])}{more}",
                tuple(reason for reason, _ in refusals.values()),
            )
        return Given(workload, start, values)


def text_outcome(read: WorkloadRead) -> Secret | RequestError:
    """Return a secret whose value is a text, or why the workload gets none."""
    outcome = read.outcome
    if not isinstance(outcome, Secret):
        return outcome
    value = outcome.value.reveal()
    if isinstance(value, str) and "\0" not in value and _is_unicode(value):
        return outcome
    return InvalidRequest(
        "The secret is binary, and version 2 takes text only; store it as text, such as in base64.",
        reason="value_not_text",
    )


def shown(refusal: RequestError, read: WorkloadRead) -> str:
    """Return a refusal for the workload's operator, with the request id to look it up by."""
    return f"{refusal.wire_name}: {refusal.advice} (request {read.request_id})"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
