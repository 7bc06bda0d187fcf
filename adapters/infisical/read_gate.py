"""Where reads wait for their turn: for a place among the connections, and for the rate limit."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from adapters.infisical import reasons
from adapters.infisical.alarm import Alarm
from adapters.infisical.exchange import ExchangeFailedError
from adapters.infisical.held_back_log import HeldBackLog
from adapters.infisical.places import Places
from adapters.infisical.rate_limit import pause_asked_for
from adapters.infisical.rate_report import read_report
from adapters.infisical.read_gate_state import ReadGateState
from adapters.infisical.read_order import ReadOrder, Waiter
from adapters.infisical.request_budget import RequestBudget
from adapters.infisical.shortage import Shortage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.infisical.exchange import Answer
    from domain.model.errors import UpstreamError
    from domain.model.reference import SecretLocation
    from ports.clock import Clock

MIN_CALL_SECONDS = 0.02
"""What a read takes at least; whoever has no more left is refused instead of sent."""


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
        self._shortage = Shortage(clock, self._places)
        self._seen_revision = 0
        self._next_turn = Alarm(clock, "infisical-read-turns", self._turns_come)
        self._next_look = Alarm(clock, "infisical-read-lookout", self._look)
        self._log = HeldBackLog(self._order, self._budget)
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
        waiter = await self._enter(location, deadline)
        sent_at = self._clock.monotonic()
        answer: Answer | None = None
        failure: ExchangeFailedError | None = None
        try:
            answer = await send()
        except ExchangeFailedError as error:
            failure = error
            raise
        finally:
            now = self._clock.monotonic()
            if answer is not None:
                # Before the place is given on: its next holder must keep the pause as well.
                pause = pause_asked_for(answer, self._clock.now())
                if pause is not None:
                    self._budget.pause(pause, now)
                self._budget.answered(sent_at, now, read_report(answer))
            elif failure is not None and failure.never_sent:
                self._budget.withdraw(now)
            else:
                self._budget.lost(now)
            # One given up for want of an answer might have hung on for as long again.
            over = answer is not None or (
                failure is not None and failure.reason != reasons.TIMED_OUT
            )
            self._release(waiter, now, over=over)
        return answer

    def check(self, location: SecretLocation, deadline: float) -> None:
        """Refuse a read whose turn is already known to come too late.

        Raises:
            UpstreamError: it says why, and when to try again.
        """
        now = self._clock.monotonic()
        folder = location.folder
        refusal: UpstreamError | None = None
        if self._order.is_late(folder, location, deadline, now):
            refusal = self._order.put_off(folder, location, now).refusal(now)
            self._log.write(now)
        elif (
            self._shortage.is_late(folder, deadline)
            and not self._places.may_take(folder)
            and not self._order.comes_first(location)
        ):
            refusal = self._shortage.refusal(folder)
        if refusal is not None:
            self._refused += 1
            raise refusal

    def extend(self, seconds: float) -> None:
        """Send nothing for at least that long, as an answer asked."""
        self._budget.pause(seconds, self._clock.monotonic())
        self._let_pass()

    def error(self, location: SecretLocation) -> UpstreamError:
        """Return the error that says when to try again, and keep a place for that time."""
        now = self._clock.monotonic()
        return self._order.put_off(location.folder, location, now).refusal(now)

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
        """Wait for nothing any more."""
        await self._next_turn.aclose()
        await self._next_look.aclose()

    async def _enter(self, location: SecretLocation, deadline: float) -> Waiter:
        self.check(location, deadline)
        future = asyncio.get_running_loop().create_future()
        waiter = Waiter(location.folder, location, deadline, future)
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
        return waiter

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
                self._release(waiter, now, over=False)
            self._let_pass()
            raise

    def _release(self, waiter: Waiter, now: float, *, over: bool) -> None:
        self._places.give_back(waiter.folder)
        self._shortage.end(waiter, now, over=over)
        self._let_pass()

    def _let_pass(self) -> None:
        """Let everybody pass who can; called after everything that may change who that is."""
        now = self._clock.monotonic()
        while self._places.free:
            waiter = self._order.next(self._places.may_take, now)
            if waiter is None:
                break
            self._places.take(waiter.folder)
            self._shortage.begin(waiter, now)
            self._budget.begin(now)
            waiter.turn.set_result(None)
        if self._budget.revision != self._seen_revision or self._order.in_vain:
            self._seen_revision = self._budget.revision
            self._refuse_late()
        if self._order.in_line:
            self._next_look.set(self._shortage.next_look(now))
        else:
            self._shortage.nobody_waits()
        if len(self._order):
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
        return self._shortage.refusal_in_the_end(waiter.folder)

    def _look(self, due: float) -> None:
        """Refuse who waits for a place that is known by now to come too late."""
        for waiter, refusal in self._shortage.refuse_late(self._order, due):
            self._order.leave(waiter)
            waiter.turn.set_result(refusal)
        self._let_pass()

    def _set_alarm(self, now: float) -> None:
        at = self._order.wakes_at(now)
        if now < at < self._next_turn.at:
            # Where no time is known, a read under way will tell.
            self._next_turn.set(at)
            self._log.write(now)

    def _turns_come(self, _due: float) -> None:
        self._let_pass()
        self._refuse_late()
