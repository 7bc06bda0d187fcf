"""An Infisical that takes its time: a fixed latency, and so many calls a second or a minute."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.infisical_model import LOGIN_PATH, refusal
from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from tests.support.infisical_model import Call, InfisicalModel, Result

WINDOW_SECONDS = 60.0
_UNAUTHENTICATED = (401, 403)


class RateWindow:
    """Infisical's limit on secret reads: a fixed window that begins with its first call (measured).

    What is refused for its token does not count and tells nothing. Calls beyond the limit get 429
    with `retry-after`, as of newer servers.

    Attributes:
        refused: how many calls came beyond the limit.
    """

    def __init__(self, model: InfisicalModel, calls_a_minute: int) -> None:
        self._model = model
        self._limit = calls_a_minute
        self._ends = -math.inf
        self._counted = 0
        self.refused = 0

    def answer(self, call: Call, now: float) -> Result:
        """Answer one call at a time in monotonic seconds."""
        result = self._model.answer(call)
        if call.path == LOGIN_PATH or result.status in _UNAUTHENTICATED:
            return result
        if now >= self._ends:
            self._ends, self._counted = now + WINDOW_SECONDS, 0
        self._counted += 1
        seconds = str(math.ceil(self._ends - now))
        headers = {
            "x-ratelimit-limit": str(self._limit),
            "x-ratelimit-remaining": str(max(0, self._limit - self._counted)),
            "x-ratelimit-reset": seconds,
        }
        if self._counted > self._limit:
            self.refused += 1
            words = f"Rate limit exceeded. Please try again in {seconds} seconds"
            result = refusal(429, "RateLimitExceeded", words)
            headers["retry-after"] = seconds
        return replace(result, headers={**result.headers, **headers})


class PacedInfisical(InfisicalServer):
    """Answers each call after `latency` seconds, and begins `calls_a_second` at most (0: any).

    Calls beyond that wait their turn, as in front of a busy server; reads beyond `calls_a_minute`
    (0: any) are refused.

    Attributes:
        window: the limit on reads, if there is one.
    """

    def __init__(
        self, *, latency: float = 0.0, calls_a_second: float = 0.0, calls_a_minute: int = 0
    ) -> None:
        super().__init__()
        self._latency = latency
        self._gap = 1 / calls_a_second if calls_a_second else 0.0
        self._next_turn = 0.0
        self.window: RateWindow | None = None
        if calls_a_minute:
            self.window = RateWindow(self.model, calls_a_minute)
            self.answer = self._within_window

    @override
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_turn)
        self._next_turn = turn + self._gap
        await asyncio.sleep(turn + self._latency - now)
        return await super()._respond(call, writer)

    def _within_window(self, call: Call) -> Result:
        if self.window is None:
            return self.model.answer(call)
        return self.window.answer(call, asyncio.get_running_loop().time())
