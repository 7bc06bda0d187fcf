"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ports.clock import Clock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class FakeClock(Clock):
    """`advance` moves both times and ends the sleeps and timeouts that fall due."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._due: list[tuple[float, asyncio.Future[None]]] = []

    @override
    def now(self) -> float:
        return self._now

    @override
    def monotonic(self) -> float:
        return self._monotonic

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as an operator or NTP does."""
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move, and tasks that wait for the new time wake."""
        self._now += seconds
        self._monotonic += seconds
        for due, waiter in self._due:
            if due <= self._monotonic and not waiter.done():
                waiter.set_result(None)

    async def run(self, *work: asyncio.Future[Any]) -> None:
        """Let time pass, from one wake-up to the next, until all of the work has ended."""
        while not all(part.done() for part in work):
            await settle()
            self._due = [entry for entry in self._due if not entry[1].done()]
            due = [when for when, _ in self._due]
            if due and not all(part.done() for part in work):
                self.advance(max(0.0, min(due) - self._monotonic))

    @override
    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self._wait_until(self._monotonic + seconds)
        else:
            await asyncio.sleep(0)

    @override
    @asynccontextmanager
    async def timeout_at(self, deadline: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as scope:

            async def expire() -> None:
                await self._wait_until(deadline)
                scope.reschedule(asyncio.get_running_loop().time())

            if deadline <= self._monotonic:
                scope.reschedule(asyncio.get_running_loop().time())
            watcher = asyncio.create_task(expire())
            try:
                yield
            finally:
                watcher.cancel()

    async def _wait_until(self, deadline: float) -> None:
        if deadline <= self._monotonic:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._due.append((deadline, waiter))
        await waiter
