"""Admission control: a request is sent in time, or refused at once with a truthful retry time."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, final

from adapters.upstream.admission_config import ThrottleLog
from adapters.upstream.admitted import Admitted
from adapters.upstream.background import Timer
from adapters.upstream.bulkhead import Bulkhead, SlowStart
from adapters.upstream.limits import RateLimits
from adapters.upstream.schedule import Schedule
from adapters.upstream.statistics import AdmissionState, Histogram
from adapters.upstream.tenant_queue import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.upstream.admission_config import AdmissionConfig
    from domain.model.errors import RateLimited
    from ports.clock import Clock

MIN_CALL_SECONDS: Final = 0.02
"""What a call takes at least: a request with no more time left is refused instead of sent."""


@final
class Admission:
    """Admits requests within the rate limits and the bulkhead; for one event loop.

    Attributes:
        waits: how long requests waited that were admitted.
    """

    def __init__(self, config: AdmissionConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._bulkhead = Bulkhead(config.max_in_flight)
        self._slow_start = SlowStart(config.max_in_flight) if config.starts_slowly else None
        self._limits = RateLimits(config.max_per_minute)
        self._schedule = Schedule(self._limits)
        self._timer = Timer(clock, f"{config.code}-admission", self._time_has_come)
        self._seen_revision = 0
        self._refused = 0
        self._log = ThrottleLog(config.code)
        self.waits = Histogram()

    def slot(
        self,
        *,
        key: Hashable,
        tenant: Hashable,
        deadline: float,
        on_limit: Callable[[float], None] | None = None,
    ) -> Admitted:
        """Return a context that waits for a slot, and holds it while its block runs.

        Entering it raises RateLimited if a slot would come too late, with the time to come back,
        and StoreBusy at the deadline, if calls in flight take that long.

        Args:
            key: what is asked for; if it is refused, a place is reserved for it.
            tenant: shares the bulkhead, such as the secret's folder.
            deadline: monotonic seconds; the caller bounds the call itself.
            on_limit: takes the seconds of a pause that a 429 asks for; None pauses all calls.
        """
        granted: asyncio.Future[RateLimited | None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(key, tenant, deadline, granted)
        return Admitted(self, waiter, self._limits, self._clock, on_limit)

    async def enter(self, waiter: Waiter) -> None:
        """Wait for a slot, to be given back by `leave`.

        Raises:
            RateLimited, StoreBusy: as `slot` says.
        """
        began = self._clock.monotonic()
        if not self._schedule.join(waiter, began):
            raise self._too_late(waiter.tenant, waiter.key, began)
        self._admit()
        granted = waiter.granted
        refusal = granted.result() if granted.done() else await self._wait(waiter)
        if refusal is not None:
            raise refusal
        self.waits.add(self._clock.monotonic() - began)

    def leave(self, tenant: Hashable, admitted: Admitted) -> bool:
        """Give a slot back; say whether another request got it."""
        if not admitted.ended:
            self._limits.lost(self._clock.monotonic())
        self._learn(admitted)
        self._bulkhead.end(tenant)
        return self._admit()

    def check(self, *, key: Hashable, tenant: Hashable, deadline: float) -> None:
        """Refuse a request that is already known to be sent too late.

        Raises:
            RateLimited: as `slot` does.
        """
        now = self._clock.monotonic()
        if self._schedule.is_late(key, deadline, now):
            raise self._too_late(tenant, key, now)

    def state(self) -> AdmissionState:
        """Return how things stand now."""
        now = self._clock.monotonic()
        capacity = self._limits.capacity(now)
        return AdmissionState(
            in_flight=self._bulkhead.in_flight,
            waiting=self._schedule.waiting,
            refused=self._refused,
            limit=self._limits.learned_limit,
            capacity=None if math.isinf(capacity) else int(capacity),
            pause_seconds=max(0.0, self._limits.next_at(0, now).at - now),
        )

    async def aclose(self) -> None:
        """Stop the timer."""
        await self._timer.aclose()

    async def _wait(self, waiter: Waiter) -> RateLimited | None:
        """Wait until a request is admitted; return why it is not, by its deadline at the latest."""
        try:
            async with self._clock.timeout_at(waiter.deadline - MIN_CALL_SECONDS):
                return await waiter.granted
        except TimeoutError:
            refusal = self._given_up(waiter) or self._out_of_time(waiter)
            self._admit()
            return refusal
        except asyncio.CancelledError:
            self._given_up(waiter)
            self._admit()
            raise

    def _given_up(self, waiter: Waiter) -> RateLimited | None:
        """Take out a request that was cancelled while it waited; return how it was refused."""
        if waiter.granted.cancelled():
            self._schedule.leave(waiter)
            return None
        refusal = waiter.granted.result()
        if refusal is None:
            self._limits.withdraw(self._clock.monotonic())
            self._bulkhead.end(waiter.tenant)
        return refusal

    def _has_room(self) -> bool:
        if self._slow_start is not None and self._bulkhead.in_flight >= self._slow_start.limit:
            return False
        return self._bulkhead.free > 0

    def _learn(self, admitted: Admitted) -> None:
        if self._slow_start is None or admitted.refused is None:
            return
        now = self._clock.monotonic()
        if admitted.refused:
            self._slow_start.refused(admitted.sent_at, self._bulkhead.in_flight, now)
        else:
            self._slow_start.answered(admitted.sent_at, now)

    def _admit(self) -> bool:
        """Admit all requests that can be, after all that may change that; say if any was."""
        now, admitted = self._clock.monotonic(), False
        while self._schedule.waiting and self._has_room():
            waiter = self._schedule.next(self._bulkhead.may_begin, now)
            if waiter is None:
                break
            if waiter.granted.cancelled():
                continue
            self._bulkhead.begin(waiter.tenant)
            self._limits.begin(now)
            waiter.granted.set_result(None)
            admitted = True
        if self._limits.revision != self._seen_revision or self._schedule.is_overdue(now):
            self._refuse_late(now)
        if self._schedule.waiting:
            at = self._schedule.wakes_at(now)
            if now < at < self._timer.at:
                self._timer.set(at)
                self._log.write(self._schedule.resumes_at(now), self._schedule.waiting, now)
        return admitted

    def _time_has_come(self) -> None:
        self._admit()
        self._refuse_late(self._clock.monotonic())

    def _refuse_late(self, now: float) -> None:
        self._seen_revision = self._limits.revision
        for waiter in self._schedule.take_late(now):
            if not waiter.granted.cancelled():
                waiter.granted.set_result(self._refuse(waiter.tenant, waiter.key, now))

    def _out_of_time(self, waiter: Waiter) -> RateLimited:
        now = self._clock.monotonic()
        if self._schedule.is_held_back(now):
            place = self._schedule.reserve(waiter.tenant, waiter.key, now)
            if place.at > now:
                self._refused += 1
                return self._config.rate_limited(place, now)
        self._refused += 1
        return self._config.busy()

    def _too_late(self, tenant: Hashable, key: Hashable, now: float) -> RateLimited:
        self._log.write(self._schedule.resumes_at(now), self._schedule.waiting, now)
        return self._refuse(tenant, key, now)

    def _refuse(self, tenant: Hashable, key: Hashable, now: float) -> RateLimited:
        self._refused += 1
        return self._config.rate_limited(self._schedule.reserve(tenant, key, now), now)
