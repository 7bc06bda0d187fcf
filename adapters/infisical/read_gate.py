"""Where reads wait for their turn: for a place among the connections, and for the rate limit."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import structlog

from adapters.infisical.exchange import ExchangeFailedError
from adapters.infisical.pace import Pace
from adapters.infisical.places import Places, folder_of
from adapters.infisical.rate_limit import pause_asked_for
from adapters.infisical.rate_report import read_report
from adapters.infisical.read_gate_state import ReadGateState
from adapters.infisical.read_order import ReadOrder, Waiter
from adapters.infisical.request_budget import RequestBudget

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from adapters.infisical.exchange import Answer
    from domain.model.errors import UpstreamError
    from domain.model.reference import SecretLocation
    from ports.clock import Clock

MIN_CALL_SECONDS = 0.02
"""What a read takes at least; whoever has no more left is refused instead of sent."""

LOG_SECONDS = 10.0
"""Under the operator's limit places come free one by one; not each is worth a line."""

_log = structlog.get_logger()


class ReadGate:
    """Lets reads pass within the limits, fairly; whose turn comes too late is refused at once.

    Secrets take turns, and whoever was told when to come back has a place then (see `ReadOrder`);
    no folder takes all connections (see `Places`). Every connection comes free at the latest with
    the deadline of the read that holds it.
    """

    def __init__(self, clock: Clock, places: int, max_per_minute: int | None) -> None:
        """Take how many reads may be under way at once, and how many may be sent in a minute."""
        self._clock = clock
        self._places = Places(places)
        self._budget = RequestBudget(max_per_minute)
        self._order = ReadOrder(self._budget)
        self._pace = Pace()
        self._seen_revision = 0
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf
        self._logged_until = -math.inf
        self._refused = 0

    async def send(
        self, location: SecretLocation, deadline: float, send: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Wait for this read's turn, send it, and learn from its answer.

        Args:
            location: what is read.
            deadline: monotonic seconds; the caller bounds the call itself.
            send: sends one request.

        Raises:
            UpstreamError: the turn would come too late.
            ExchangeFailedError: there was no answer.
        """
        folder = folder_of(location)
        await self._enter(folder, location, deadline)
        sent_at = self._clock.monotonic()
        answer: Answer | None = None
        never_sent = False
        try:
            answer = await send()
        except ExchangeFailedError as failure:
            never_sent = failure.never_sent
            raise
        finally:
            now = self._clock.monotonic()
            if answer is not None:
                # Before the place is given on: its next holder must keep the pause as well.
                pause = pause_asked_for(answer, self._clock.now())
                if pause is not None:
                    self._budget.pause(pause, now)
                self._budget.answered(sent_at, now, read_report(answer))
            elif never_sent:
                self._budget.withdraw(now)
            else:
                self._budget.lost(now)
            self._release(folder, now)
        return answer

    def check(self, location: SecretLocation, deadline: float) -> None:
        """Refuse a read whose turn is already known to come too late.

        Raises:
            UpstreamError: it says why, and when to try again.
        """
        now = self._clock.monotonic()
        folder = folder_of(location)
        refusal: UpstreamError | None = None
        if self._order.is_late(folder, location, deadline, now):
            refusal = self._order.put_off(folder, location, now).refusal(now)
            self._log_limit(now)
        elif not self._places.may_take(folder):
            position = self._order.ahead(folder, location)
            if self._pace.is_hopeless(position, deadline - now):
                refusal = self._pace.refusal(position)
        if refusal is not None:
            self._refused += 1
            raise refusal

    def extend(self, seconds: float) -> None:
        """Send nothing for at least that long, as an answer asked."""
        self._budget.pause(seconds, self._clock.monotonic())
        self._let_pass()

    def error(self) -> UpstreamError:
        """Return the error that says when to try again."""
        now = self._clock.monotonic()
        return self._order.behind_all(now).refusal(now)

    def state(self) -> ReadGateState:
        """Return how things stand now."""
        now = self._clock.monotonic()
        capacity = self._budget.capacity(now)
        return ReadGateState(
            in_flight=self._places.taken,
            waiting=len(self._order),
            refused=self._refused,
            limit=self._budget.learned_limit,
            capacity=None if math.isinf(capacity) else int(capacity),
            pause_seconds=max(0.0, self._budget.turn(0, now).at - now),
        )

    async def aclose(self) -> None:
        """End the waiting for the next window."""
        if self._alarm is not None:
            self._alarm.cancel()
            await asyncio.wait({self._alarm})

    async def _enter(self, folder: Hashable, location: SecretLocation, deadline: float) -> None:
        self.check(location, deadline)
        future = asyncio.get_running_loop().create_future()
        waiter = Waiter(folder, location, deadline, future)
        self._order.join(waiter, self._clock.monotonic())
        self._let_pass()
        if not future.done():
            if self._order.shared:
                self._refuse_late()
            await self._wait(waiter)
        refusal = future.result()
        if refusal is not None:
            self._refused += 1
            raise refusal

    async def _wait(self, waiter: Waiter) -> None:
        """Wait until the turn is decided, by the deadline at the latest."""
        try:
            async with self._clock.timeout_at(waiter.deadline - MIN_CALL_SECONDS):
                await asyncio.wait({waiter.turn})
        except TimeoutError:
            if not waiter.turn.done():
                self._order.leave(waiter)
                waiter.turn.set_result(self._out_of_time(waiter))
                self._let_pass()
        except asyncio.CancelledError:
            if not waiter.turn.done():
                self._order.leave(waiter)
            elif waiter.turn.result() is None:
                now = self._clock.monotonic()
                self._budget.withdraw(now)
                self._release(waiter.folder, now)
            self._let_pass()
            raise

    def _release(self, folder: Hashable, now: float) -> None:
        self._places.give_back(folder)
        if len(self._order):
            self._pace.freed(now)
        self._let_pass()

    def _let_pass(self) -> None:
        """Let everybody pass who can; called after everything that may change who that is."""
        now = self._clock.monotonic()
        while self._places.free:
            waiter = self._order.next(self._places.may_take, now)
            if waiter is None:
                break
            self._places.take(waiter.folder)
            self._budget.begin(now)
            waiter.turn.set_result(None)
        if self._budget.revision != self._seen_revision or self._order.in_vain:
            self._seen_revision = self._budget.revision
            self._refuse_late()
        if not len(self._order):
            self._pace.rush_over()
        else:
            self._set_alarm(now)

    def _refuse_late(self) -> None:
        now = self._clock.monotonic()
        for waiter in self._order.take_late(now):
            turn = self._order.put_off(waiter.folder, waiter.secret, now)
            waiter.turn.set_result(turn.refusal(now))

    def _out_of_time(self, waiter: Waiter) -> UpstreamError:
        now = self._clock.monotonic()
        if self._order.held_back(now):
            turn = self._order.put_off(waiter.folder, waiter.secret, now)
            if turn.at > now:
                return turn.refusal(now)
        return self._pace.refusal(len(self._order))

    def _set_alarm(self, now: float) -> None:
        at = self._order.wakes_at(now)
        if not now < at < self._alarm_at:
            # Where no time is known, a read under way will tell.
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring(at), name="infisical-read-turns")
        self._log_limit(now)

    async def _ring(self, at: float) -> None:
        while (now := self._clock.monotonic()) < at:
            await self._clock.sleep(at - now)
        self._alarm = None
        self._alarm_at = math.inf
        self._let_pass()
        self._refuse_late()

    def _log_limit(self, now: float) -> None:
        until = self._order.resumes_at(now)
        if now >= self._logged_until and until > now:
            self._logged_until = max(until, now + LOG_SECONDS)
            _log.warning(
                "infisical.reads_held_back",
                seconds=round(until - now, 1),
                limit=self._budget.learned_limit,
                waiting=len(self._order),
                promised=self._order.promised,
            )
