"""A request repeated at the time it was told is answered, whatever others do meanwhile."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import admission, through
from tests.unit.adapters.upstream.counting_server import CountingServer, place

if TYPE_CHECKING:
    from adapters.upstream.admission import Admission
    from adapters.upstream.message import UpstreamResponse

STEP = 0.25
PATIENCE = 8.0
TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Client:
    """One that asks for a secret of its own. Times in steps.

    Attributes: `late`, how long after the retry time it asks again, None for never; `latency`, how
    long its read takes each way.
    """

    start: int
    latency: int
    late: int | None


@dataclass
class Town:
    """Clients before one gate before one server, on a clock that goes in steps.

    Attributes: `told`, for each client the seconds it was told first; `broken`, what those heard
    who came back when they were told.
    """

    gate: Admission
    server: CountingServer
    clock: FakeClock
    told: dict[int, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    kept: int = 0

    async def live(self, number: int, client: Client) -> None:
        await self.clock.sleep(client.start * STEP)
        refusal = await self.ask(number, client)
        if refusal in {None, TIMED_OUT}:
            return
        seconds = re.search(r"try again in ([0-9]+) second", str(refusal))
        assert seconds is not None
        self.told[number] = int(seconds[1])
        if client.late is not None:
            await self.clock.sleep(int(seconds[1]) + client.late * STEP)
            again = await self.ask(number, client)
            if again is None:
                self.kept += 1
            else:
                self.broken.append(f"{number} after {seconds[1]}: {again}")

    async def ask(self, number: int, client: Client) -> str | None:
        """Return why the read was refused, or None when it was answered."""

        async def send() -> UpstreamResponse:
            await self.clock.sleep(client.latency * STEP)
            answer = self.server.answer(self.clock.monotonic())
            await self.clock.sleep(client.latency * STEP)
            return answer

        deadline = self.clock.monotonic() + PATIENCE
        try:
            async with self.clock.timeout_at(deadline):
                await through(self.gate, place(f"K{number}", f"/{number % 2}"), deadline, send)
        except UpstreamError as refusal:
            return refusal.advice
        except TimeoutError:
            return TIMED_OUT
        return None


async def play(crowd: list[Client], limit: int, own: int | None) -> Town:
    clock = FakeClock()
    town = Town(admission(clock, 40, own), CountingServer(limit), clock)
    # As at the service's start: one read alone, whose answer names the limit.
    assert await town.ask(-1, Client(0, 0, None)) is None
    tasks = [asyncio.create_task(town.live(n, client)) for n, client in enumerate(crowd)]
    every_call = asyncio.gather(*tasks)
    while not every_call.done():
        assert clock.monotonic() < 1000.0 + 20 * 60, "a call waits for ever"
        clock.advance(STEP)
        await settle()
    await every_call
    assert town.server.over == 0
    await town.gate.aclose()
    return town


def clients(late: tuple[int | None, ...]) -> st.SearchStrategy[list[Client]]:
    """Draw a crowd."""
    client = st.builds(
        Client,
        start=st.sampled_from([0, 0, 0, 0, 1, 5, 100, 200, 210, 220, 235, 240, 245, 250, 300, 470]),
        latency=st.integers(0, 1),
        late=st.sampled_from(late),
    )
    return st.lists(client, min_size=30, max_size=80)


# Without shrinking, which would take minutes to make a crowd a little smaller.
in_many_ways = settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


@in_many_ways
@given(crowd=clients(late=(None, 0, 0, 0, 1, 4)), limit=st.integers(8, 12))
def test_the_servers_windows_have_a_place_for_every_key_told_to_come(
    crowd: list[Client], limit: int
) -> None:
    town = asyncio.run(play(crowd, limit, None))

    assert town.broken == []


# A place whose caller does not return may be taken by another, and is free again later.
@in_many_ways
@given(crowd=clients(late=(0, 0, 1, 4)), own=st.integers(8, 12))
def test_the_operators_limit_has_a_place_for_every_key_told_to_come(
    crowd: list[Client], own: int
) -> None:
    town = asyncio.run(play(crowd, 1000, own))

    assert town.broken == []


@pytest.mark.parametrize(("limit", "own"), [(20, None), (1000, 20)])
async def test_a_storm_over_eight_windows_is_answered_as_told(limit: int, own: int | None) -> None:
    crowd = [Client(number // 40, number % 3, number % 5) for number in range(160)]

    town = await play(crowd, limit, own)

    assert town.broken == []
    assert town.kept == len(town.told) > 130
    assert max(town.told.values()) > 400
