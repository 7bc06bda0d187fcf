"""Whatever is asked, however slow the way: no limit is overrun, and no request is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import admission, through
from tests.unit.adapters.upstream.counting_server import CountingServer, place
from tests.unit.adapters.upstream.http_rig import answer

if TYPE_CHECKING:
    from adapters.upstream.admission import Admission
    from adapters.upstream.message import UpstreamResponse

STEP = 0.25
REFUSED_TOKEN = answer(401)


@dataclass(frozen=True)
class Request:
    """Times in steps; `fate` is what becomes of the call, None an answer."""

    wait: int
    secret: int
    folder: int
    seconds: float
    outward: int
    back: int
    fate: str | None


FATES = (None, None, None, None, "token", "lost", "unsent", "cancel")


def requests(
    fates: tuple[str | None, ...] = FATES, seconds: tuple[float, ...] = (1.0, 8.0, 8.0, 70.0)
) -> st.SearchStrategy[list[Request]]:
    """Draw scripts of requests."""
    request = st.builds(
        Request,
        wait=st.sampled_from([0, 0, 0, 0, 1, 3, 40, 200]),
        secret=st.integers(0, 5),
        folder=st.integers(0, 2),
        seconds=st.sampled_from(seconds),
        outward=st.integers(0, 3),
        back=st.integers(0, 3),
        fate=st.sampled_from(fates),
    )
    return st.lists(request, max_size=60)


@dataclass
class World:
    """One gate before one server, on a clock that goes in steps."""

    gate: Admission
    server: CountingServer
    clock: FakeClock
    arrivals: list[float] = field(default_factory=list)

    async def ask(self, request: Request) -> str:
        """Return how the request ended."""

        async def send() -> UpstreamResponse:
            if request.fate == "unsent":
                raise TransportError(Failure.UNREACHABLE, "ConnectError", never_sent=True)
            await self.clock.sleep(request.outward * STEP)
            if request.fate == "token":
                return REFUSED_TOKEN
            self.arrivals.append(self.clock.monotonic())
            response = self.server.answer(self.clock.monotonic())
            await self.clock.sleep(request.back * STEP)
            if request.fate == "lost":
                raise TransportError(Failure.TIMED_OUT, "ReadTimeout")
            return response

        deadline = self.clock.monotonic() + request.seconds
        try:
            async with self.clock.timeout_at(deadline):
                location = place(f"K{request.secret}", f"/{request.folder}")
                await through(self.gate, location, deadline, send)
        except UpstreamError as refusal:
            return "refused" if "try again in" in refusal.advice else "refused without advice"
        except (TimeoutError, TransportError):
            return "failed"
        return "answered"

    async def step(self, number: int = 1) -> None:
        for _ in range(number):
            self.clock.advance(STEP)
            await settle()


async def play(script: list[Request], limit: int, own: int | None, slots: int) -> World:
    clock = FakeClock()
    world = World(admission(clock, slots, own), CountingServer(limit), clock)
    # As at the service's start: one read alone, whose answer names the limit.
    assert await world.ask(Request(0, 0, 0, 8.0, 0, 0, None)) == "answered"
    tasks: list[asyncio.Task[str]] = []
    for request in script:
        await world.step(request.wait)
        task = asyncio.create_task(world.ask(request))
        tasks.append(task)
        if request.fate == "cancel":
            await world.step()
            task.cancel()
    # No deadline is further away than that: a call that still waits then would wait for ever.
    await world.step(300)
    assert all(task.done() for task in tasks)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    known = {"answered", "refused", "failed"}
    assert all(end in known or isinstance(end, asyncio.CancelledError) for end in ends)
    state = world.gate.state()
    assert (state.in_flight, state.waiting) == (0, 0)
    await world.gate.aclose()
    return world


@settings(max_examples=25, deadline=None)
@given(
    script=requests(),
    limit=st.integers(2, 12),
    slots=st.integers(1, 6),
)
def test_the_servers_limit_is_never_overrun(script: list[Request], limit: int, slots: int) -> None:
    world = asyncio.run(play(script, limit, None, slots))

    assert world.server.over == 0


@settings(max_examples=20, deadline=None)
@given(script=requests(), own=st.integers(1, 10), slots=st.integers(1, 6))
def test_the_operators_limit_holds_in_every_minute(
    script: list[Request], own: int, slots: int
) -> None:
    world = asyncio.run(play(script, 1000, own, slots))

    for first in world.arrivals:
        assert sum(first <= other < first + 60.0 for other in world.arrivals) <= own


@settings(max_examples=10, deadline=None)
@given(script=requests(fates=(None,), seconds=(8.0,)))
def test_without_a_limit_every_request_is_answered(script: list[Request]) -> None:
    async def check() -> None:
        clock = FakeClock()
        world = World(admission(clock, 40, None), CountingServer(10_000), clock)
        tasks = []
        for request in script:
            await world.step(request.wait)
            tasks.append(asyncio.create_task(world.ask(request)))
        await world.step(40)
        assert [task.result() for task in tasks] == ["answered"] * len(tasks)

    asyncio.run(check())
