"""A time until which no call of one kind is sent, because the server asked for it."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.engine import Grant
from adapters.upstream.failures import rate_limited
from adapters.upstream.rate_headers import pause_asked_for
from domain.model.errors import CallWithheld

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.engine import TransportError
    from adapters.upstream.message import UpstreamResponse
    from domain.model.errors import RateLimited
    from ports.clock import Clock


@final
class Cooldown:
    """Kept by logins, which servers limit apart from reads."""

    def __init__(self, config: UpstreamConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._until = -math.inf

    @property
    def active(self) -> bool:
        """Whether the cooldown still lasts."""
        return self._clock.monotonic() < self._until

    @property
    def remaining_seconds(self) -> float:
        """How long the cooldown still lasts; 0 without one."""
        return max(0.0, self._until - self._clock.monotonic())

    def extend(self, seconds: float) -> None:
        """Let the cooldown last for at least that long from now."""
        self._until = max(self._until, self._clock.monotonic() + seconds)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Grant]:
        """Admit one call; a response that limits the rate extends the cooldown.

        Raises:
            RateLimited: at once, while the cooldown lasts: each request that waits for the call
                waits the cooldown out by itself, as its deadline allows.
        """
        if self.active:
            raise self.error()
        yield _CooledCall(self, self._clock)

    async def wait(self, deadline: float) -> None:
        """Wait for the end of the cooldown.

        Raises:
            RateLimited: at once, when the cooldown lasts beyond the deadline.
        """
        while self.active:
            if self._until >= deadline:
                raise self.error()
            await self._clock.sleep(self._until - self._clock.monotonic())

    def error(self) -> RateLimited:
        """Return the error that says when to try again."""
        return rate_limited(self.remaining_seconds, self._config, CallWithheld)


@final
class _CooledCall(Grant):
    def __init__(self, cooldown: Cooldown, clock: Clock) -> None:
        self._cooldown = cooldown
        self._clock = clock

    @override
    def answered(self, response: UpstreamResponse) -> None:
        seconds = pause_asked_for(response, self._clock.now())
        if seconds is not None:
            self._cooldown.extend(seconds)

    @override
    def failed(self, error: TransportError) -> None:
        """A call without a response says nothing about limits."""
