"""A gate before a server, and time, in a test's hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.infisical.exchange import Answer, ExchangeFailedError
from adapters.infisical.read_gate import ReadGate
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.unit.adapters.infisical.counting_server import CountingServer, place

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation

UNLIMITED = Answer(200, {}, is_json=True, document={})


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


class Rig:
    """A gate before a server whose answers the test lets go.

    Attributes: `sent`, the names of what reached the server, in order.
    """

    def __init__(
        self, *, places: int = 4, own: int | None = None, server: CountingServer | None = None
    ) -> None:
        self.clock = FakeClock()
        self.gate = ReadGate(self.clock, places, own)
        self.server = server
        self.sent: list[str] = []
        self.hang = asyncio.Event()
        self.hang.set()
        self.failure: ExchangeFailedError | None = None

    def read(
        self, name: str = "KEY", folder: str = "", seconds: float = 8.0
    ) -> asyncio.Task[Answer]:
        return asyncio.create_task(self._read(place(name, folder), seconds))

    async def _read(self, location: SecretLocation, seconds: float) -> Answer:
        async def send() -> Answer:
            self.sent.append(location.path)
            await self.hang.wait()
            if self.failure is not None:
                raise self.failure
            return self.server.answer(self.clock.monotonic()) if self.server else UNLIMITED

        return await self.gate.send(location, self.clock.monotonic() + seconds, send)


async def outcomes(tasks: list[asyncio.Task[Answer]]) -> tuple[int, list[UpstreamError]]:
    """Return how many were answered, and how the rest was refused."""
    await settle()
    results = await asyncio.gather(*(t for t in tasks if t.done()), return_exceptions=True)
    refusals = [result for result in results if isinstance(result, UpstreamError)]
    return sum(isinstance(result, Answer) for result in results), refusals
