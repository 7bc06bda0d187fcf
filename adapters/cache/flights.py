"""Calls under way: one for each key, belonging to nobody who waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from adapters.cache.failures import CLOSED, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from adapters.cache.key import CacheKey
    from adapters.cache.selection import CacheSelection
    from adapters.cache.waiting_room import Seat
    from domain.model.secret import Secret
    from ports.clock import Clock

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Flight:
    """One call.

    Attributes:
        started: monotonic seconds.
        deadline: when it ends at the latest.
        background: nobody has waited for it yet.
        task: ends with the answer or the failure; raises only what nobody foresaw.
        seats: those who wait for it now.
    """

    started: float
    deadline: float
    background: bool
    task: asyncio.Task[Secret | Failure] = field(init=False, repr=False)
    seats: set[Seat] = field(default_factory=set, repr=False)

    async def landed_by(self, deadline: float, clock: Clock, seat: Seat) -> bool:
        """Wait until the call has ended, the deadline passes or the seat is given up.

        Neither of these, nor a cancellation of whoever waits, touches the call.

        Returns:
            Whether the call has ended.
        """
        if self.task.done() or seat.given_up:
            return self.task.done()
        turn = seat.turn = asyncio.get_running_loop().create_future()
        self.seats.add(seat)
        try:
            if self.deadline <= deadline:
                # The call's own timer rings first, and another one is not free.
                await turn
            else:
                async with clock.timeout_at(deadline):
                    await turn
        except TimeoutError:
            pass
        finally:
            self.seats.discard(seat)
        return self.task.done()

    def outcome(self) -> Secret | Failure:
        """Return what the call ended with; it must have ended."""
        return CLOSED if self.task.cancelled() else self.task.result()


class Flights:
    """The calls under way, for one event loop."""

    def __init__(self) -> None:
        self._current: dict[CacheKey, Flight] = {}
        self._tasks: set[asyncio.Task[Secret | Failure]] = set()

    def get(self, key: CacheKey) -> Flight | None:
        """Return the call that a request for this key may join."""
        return self._current.get(key)

    def start(
        self,
        key: CacheKey,
        flight: Flight,
        fly: Callable[[Flight], Coroutine[Any, Any, Secret | Failure]],
    ) -> None:
        """Begin a call that further requests for this key join."""
        self._current[key] = flight
        flight.task = asyncio.create_task(fly(flight), name="cache-fetch")
        self._tasks.add(flight.task)
        flight.task.add_done_callback(partial(self._ended, key, flight))

    def finish(self, key: CacheKey, flight: Flight) -> bool:
        """Let nobody join any more; say whether the call still speaks for its key."""
        if self._current.get(key) is not flight:
            return False
        del self._current[key]
        return True

    def detach(self, selection: CacheSelection) -> int:
        """Let selected calls go on for those who wait already, and for nobody else."""
        keys = [key for key in self._current if selection.matches(key[0])]
        for key in keys:
            del self._current[key]
        return len(keys)

    async def aclose(self) -> None:
        """End all calls."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, key: CacheKey, flight: Flight, task: asyncio.Task[Secret | Failure]) -> None:
        self._tasks.discard(task)
        self.finish(key, flight)
        for seat in flight.seats:
            seat.call()
        # Asking for the exception also keeps asyncio from reporting it with its text.
        if not task.cancelled() and (crash := task.exception()) is not None:
            _log.error("cache.fetch_crashed", error_type=type(crash).__name__)
