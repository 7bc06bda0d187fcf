"""An Infisical that takes its time: a fixed latency, and so many calls a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from tests.support.infisical_model import Call


class PacedInfisical(InfisicalServer):
    """Answers each call after `latency` seconds, and begins `calls_a_second` at most (0: any).

    Calls beyond that wait their turn, as in front of a busy server.
    """

    def __init__(self, *, latency: float = 0.0, calls_a_second: float = 0.0) -> None:
        super().__init__()
        self._latency = latency
        self._gap = 1 / calls_a_second if calls_a_second else 0.0
        self._next_turn = 0.0

    @override
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_turn)
        self._next_turn = turn + self._gap
        await asyncio.sleep(turn + self._latency - now)
        return await super()._respond(call, writer)
