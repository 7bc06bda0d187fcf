"""Admission before a server, and time, in a test's hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.upstream.admission import Admission
from adapters.upstream.admission_config import AdmissionConfig
from adapters.upstream.engine import TransportError
from adapters.upstream.message import UpstreamResponse
from domain.model.errors import RateLimited
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.unit.adapters.upstream.counting_server import CountingServer, place
from tests.unit.adapters.upstream.http_rig import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from adapters.upstream.admitted import Admitted
    from domain.model.reference import SecretLocation
    from ports.clock import Clock

UNLIMITED = answer()


def admission(clock: Clock, slots: int, per_minute: int | None = None) -> Admission:
    config = AdmissionConfig("Store", "store", "STORE_MAX_REQUESTS_PER_MINUTE", slots, per_minute)
    return Admission(config, clock)


async def through(
    gate: Admission,
    location: SecretLocation,
    deadline: float,
    send: Callable[[], Awaitable[UpstreamResponse]],
) -> UpstreamResponse:
    """Send one call as `UpstreamHttp` does: in a slot, which is told how it ended."""
    async with gate.slot(key=location, tenant=location.folder, deadline=deadline) as slot:
        try:
            response = await send()
        except TransportError as error:
            slot.failed(error)
            raise
        slot.answered(response)
    return response


class Rig:
    """Admission before a server whose responses the test lets go.

    Attributes: `sent`, the names of what reached the server, in order; `takes`, the seconds of each
    call beyond that.
    """

    def __init__(
        self, *, slots: int = 4, own: int | None = None, server: CountingServer | None = None
    ) -> None:
        self.clock = FakeClock()
        self.gate = admission(self.clock, slots, own)
        self.server = server
        self.sent: list[str] = []
        self.hang = asyncio.Event()
        self.hang.set()
        self.takes = 0.0
        self.failure: TransportError | None = None

    def slot(self, key: str = "HELD") -> AbstractAsyncContextManager[Admitted]:
        """Return a call that ends when and as the test says."""
        return self.gate.slot(key=key, tenant=key, deadline=self.clock.monotonic() + 8.0)

    def read(
        self, name: str = "KEY", folder: str = "", seconds: float = 8.0
    ) -> asyncio.Task[UpstreamResponse]:
        return asyncio.create_task(self._read(place(name, folder), seconds))

    async def _read(self, location: SecretLocation, seconds: float) -> UpstreamResponse:
        async def send() -> UpstreamResponse:
            self.sent.append(location.path)
            await self.hang.wait()
            await self.clock.sleep(self.takes)
            if self.failure is not None:
                raise self.failure
            return self.server.answer(self.clock.monotonic()) if self.server else UNLIMITED

        return await through(self.gate, location, self.clock.monotonic() + seconds, send)


async def pass_time(rig: Rig, seconds: float, step: float = 0.25) -> None:
    """Let time pass in steps, and all run that can in each."""
    for _ in range(round(seconds / step)):
        rig.clock.advance(step)
        await settle()


async def outcomes(tasks: list[asyncio.Task[UpstreamResponse]]) -> tuple[int, list[RateLimited]]:
    """Return how many were answered, and how the rest was refused."""
    await settle()
    results = await asyncio.gather(*(t for t in tasks if t.done()), return_exceptions=True)
    refusals = [result for result in results if isinstance(result, RateLimited)]
    return sum(isinstance(result, UpstreamResponse) for result in results), refusals
