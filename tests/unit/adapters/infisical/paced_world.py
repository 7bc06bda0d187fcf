"""A gate before a server whose reads take a known time, on a clock that goes in small steps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.infisical.read_gate import ReadGate
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.unit.adapters.infisical.counting_server import place
from tests.unit.adapters.infisical.gate_rig import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.infisical.exchange import Answer

STEP = 1 / 32
"""Exact in binary, so that sums of it hit the times looked for."""

DEADLINE = 8.0
PLACES = 19
SHARE = 10
"""Of these a folder may hold so many."""


@dataclass(frozen=True)
class Asked:
    """One request: its secret, how long its read takes, and when it comes, in seconds."""

    secret: str
    takes: float
    at: float = 0.0
    folder: str = "/slow"


@dataclass(frozen=True)
class End:
    """How it went: what it was refused with, None if it was answered, and after how long."""

    asked: Asked
    refusal: str | None
    after: float

    @property
    def answered(self) -> bool:
        return self.refusal is None


class PatientGate(ReadGate):
    """The same without any judgement: everybody waits for its place until its time is over."""

    @override
    def _look(self, due: float) -> None:
        self._let_pass()


def folder_of_reads(count: int, takes: float, folder: str = "/slow") -> list[Asked]:
    """That many requests at once, for as many secrets."""
    return [Asked(f"K{number}", takes, folder=folder) for number in range(count)]


async def _play(gate: ReadGate, clock: FakeClock, script: list[Asked]) -> list[End]:
    began = clock.monotonic()

    async def ask(asked: Asked) -> End:
        async def send() -> Answer:
            await clock.sleep(asked.takes)
            return UNLIMITED

        now = clock.monotonic()
        refusal: str | None = None
        try:
            async with clock.timeout_at(now + DEADLINE):
                await gate.send(place(asked.secret, asked.folder), now + DEADLINE, send)
        except UpstreamError as error:
            refusal = error.advice
        except TimeoutError:
            refusal = "timed out"
        return End(asked, refusal, clock.monotonic() - now)

    tasks: list[asyncio.Task[End]] = []
    for asked in script:
        while began + asked.at > clock.monotonic():
            await _step(clock)
        tasks.append(asyncio.create_task(ask(asked)))
    while not all(task.done() for task in tasks):
        await _step(clock)
    await gate.aclose()
    state = gate.state()
    assert (state.in_flight, state.waiting) == (0, 0)
    return [task.result() for task in tasks]


async def _step(clock: FakeClock) -> None:
    for _ in range(14):
        await asyncio.sleep(0)
    clock.advance(STEP)
    for _ in range(14):
        await asyncio.sleep(0)


def play(script: Iterable[Asked], *, patient: bool = False, places: int = PLACES) -> list[End]:
    """Return how each request ends, in the order of the script, which is that of their coming."""
    clock = FakeClock()
    kind = PatientGate if patient else ReadGate
    return asyncio.run(_play(kind(clock, places, None), clock, list(script)))
