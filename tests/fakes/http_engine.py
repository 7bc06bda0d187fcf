"""An HTTP engine without a socket: a function answers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.upstream.engine import HttpEngine, TransportError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.upstream.message import UpstreamRequest, UpstreamResponse

    Outcome = UpstreamResponse | TransportError

JSON = {"content-type": "application/json; charset=utf-8"}


class FakeHttpEngine(HttpEngine):
    """Answers each request with what a function returns; a TransportError is raised.

    Attributes:
        requests: everything sent, in order.
        dropped: how often idle connections were dropped.
        closed: whether it was closed.
    """

    def __init__(self, answer: Callable[[UpstreamRequest], Outcome | Awaitable[Outcome]]) -> None:
        self._answer = answer
        self.requests: list[UpstreamRequest] = []
        self.dropped = 0
        self.closed = False

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        outcome = self._answer(request)
        if inspect.isawaitable(outcome):
            outcome = await outcome
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    @override
    def drop_idle(self) -> None:
        self.dropped += 1

    @override
    async def aclose(self) -> None:
        self.closed = True
