"""A flood does not leave the process at its largest size."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.nats.after_flood import LOOK_SECONDS, give_back_free_memory, give_memory_back
from tests.fakes.clock import FakeClock

_PIECE = 16 * 1024


@dataclass
class Transport:
    is_flooded: bool = False
    in_flight: int = 0


class Stage:
    """A transport that is watched, and how often memory was given back."""

    def __init__(self) -> None:
        self.transport: Any = Transport()
        self.clock = FakeClock()
        self.given_back = 0

    def give_back(self) -> None:
        self.given_back += 1

    async def look(self) -> None:
        self.clock.advance(LOOK_SECONDS)
        for _ in range(20):
            await asyncio.sleep(0.001)


async def test_memory_is_given_back_once_a_flood_is_over_and_answered() -> None:
    stage = Stage()
    watching = asyncio.create_task(give_memory_back(stage.transport, stage.clock, stage.give_back))
    await asyncio.sleep(0)

    await stage.look()
    assert stage.given_back == 0  # nothing has come yet
    stage.transport.is_flooded, stage.transport.in_flight = True, 900
    await stage.look()
    stage.transport.is_flooded = False
    await stage.look()
    assert stage.given_back == 0  # requests still wait
    stage.transport.in_flight = 0
    await stage.look()
    assert stage.given_back == 1
    await stage.look()
    assert stage.given_back == 1

    watching.cancel()


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells it there")
def test_what_was_freed_between_other_bodies_goes_back_to_the_system() -> None:
    bodies = [bytes(_PIECE) + b"x" for _ in range(4000)]
    kept = bodies[::200]  # keeps the heap's end where it is
    full = resident_bytes()
    del bodies

    give_back_free_memory()

    assert full - resident_bytes() > 4000 * _PIECE // 2
    assert len(kept) == 20
