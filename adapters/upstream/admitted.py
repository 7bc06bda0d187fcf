"""One admitted call: it holds a slot, and what its response says goes to the limits."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.engine import Grant
from adapters.upstream.rate_headers import is_rate_limit, pause_asked_for, rate_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.upstream.admission import Admission
    from adapters.upstream.engine import TransportError
    from adapters.upstream.limits import RateLimits
    from adapters.upstream.message import UpstreamResponse
    from adapters.upstream.tenant_queue import Waiter
    from ports.clock import Clock


@final
class Admitted(AbstractAsyncContextManager["Admitted"], Grant):
    """One call, which begins when its context is entered, in a slot of an `Admission`.

    Attributes:
        sent_at: monotonic seconds.
        ended: how it ended is known.
        refused: whether the answer asked for a pause; None without an answer.
    """

    def __init__(
        self,
        admission: Admission,
        waiter: Waiter,
        limits: RateLimits,
        clock: Clock,
        on_limit: Callable[[float], None] | None = None,
    ) -> None:
        self._admission = admission
        self._waiter = waiter
        self._limits = limits
        self._on_limit = on_limit
        self._clock = clock
        self.sent_at = 0.0
        self.ended = False
        self.refused: bool | None = None

    @override
    async def __aenter__(self) -> Admitted:
        await self._admission.enter(self._waiter)
        self.sent_at = self._clock.monotonic()
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        if self._admission.leave(self._waiter.tenant, self):
            # The other request is sent before this one's answer is read.
            await asyncio.sleep(0)

    @override
    def answered(self, response: UpstreamResponse) -> None:
        self.ended = True
        now = self._clock.monotonic()
        seconds = pause_asked_for(response, self._clock.now())
        self.refused = seconds is not None
        if seconds is not None and self._on_limit is not None and is_rate_limit(response):
            self._on_limit(seconds)
        elif seconds is not None:
            # Before the slot is given on: its next holder must keep the pause as well.
            self._limits.pause(seconds, now)
        self._limits.answered(self.sent_at, now, rate_report(response))

    def withdraw(self) -> None:
        """End the call unsent."""
        self.ended = True
        self._limits.withdraw(self._clock.monotonic())

    @override
    def failed(self, error: TransportError) -> None:
        if error.never_sent:
            self.withdraw()
        else:
            self.ended = True
            self._limits.lost(self._clock.monotonic())
