"""Requests that start a workload: their references are filled in, or they are refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, final

import structlog

from adapters.system.cancelling import cancel
from adapters.wasmcloud2.filling import FillRefusedError
from adapters.wasmcloud2.start_request import UnreadableStartError, read_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.wasmcloud2.answers import Answers
    from adapters.wasmcloud2.filling import Filling, Given
    from adapters.wasmcloud2.message import Message, RelayFigures
    from adapters.wasmcloud2.start_request import StartRequest
    from ports.clock import Clock

    Forward = Callable[[Message, bytes, Given | None], Awaitable[None] | None]

_log = structlog.get_logger()


@final
class Starts:
    """Fills start requests in, some at a time.

    Args:
        forward: passes a request on to its host.
        room: how many bytes the hosts' NATS carries.
        max_starts: starts with references under way; further ones are refused.
    """

    def __init__(
        self,
        filling: Filling,
        answers: Answers,
        forward: Forward,
        *,
        room: Callable[[], int],
        figures: RelayFigures,
        clock: Clock,
        max_starts: int,
    ) -> None:
        self._filling = filling
        self._answers = answers
        self._forward = forward
        self._room = room
        self._figures = figures
        self._clock = clock
        self._max_starts = max_starts
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, message: Message) -> Awaitable[None] | None:
        """Take one request; what is returned is to be awaited before the next."""
        try:
            start = read_start(message.body)
        except UnreadableStartError as error:
            _log.warning("relay.start_refused", host=message.to.host, reason=error.reason)
            return self._refuse(message, error.workload_id, error.advice)
        if not start.places:
            return self._forward(message, message.body, None)
        if len(self._running) >= self._max_starts:
            return self._refuse(
                message,
                start.workload_id,
                "too many workloads with secrets start at once; start it again in some seconds.",
            )
        # What was read of the body is kept, and no second copy of it.
        task = asyncio.create_task(self._start(message._replace(body=b""), start))
        self._running.add(task)
        task.add_done_callback(self._done)
        return None

    async def finish(self, deadline: float) -> None:
        """Wait for the requests under way until a time, then refuse what is left."""
        with suppress(TimeoutError):
            async with self._clock.timeout_at(deadline):
                while self._running:
                    await asyncio.wait(set(self._running))
        await cancel(self._running)

    async def _start(self, message: Message, start: StartRequest) -> None:
        try:
            given = await self._filling(start)
        except FillRefusedError as error:
            _log.warning(
                "relay.start_refused",
                host=message.to.host,
                namespace=start.namespace,
                workload=start.name,
                reason=error.reasons[0],
                refused=len(error.reasons),
            )
            sent = self._refuse(message, start.workload_id, str(error))
        except asyncio.CancelledError:
            self._refuse(
                message,
                start.workload_id,
                "this relay is stopping; start the workload again, another replica will.",
            )
            raise
        else:
            sent = self._send(message, given)
        if sent is not None:
            await sent

    def _send(self, message: Message, given: Given) -> Awaitable[None] | None:
        body = given.filled()
        size, room = len(body) + len(message.headers or b""), self._room()
        if size > room:
            _log.warning("relay.start_refused", host=message.to.host, reason="request_too_large")
            return self._refuse(
                message,
                given.start.workload_id,
                f"with its secrets the start request has {size} bytes, and the hosts' NATS carries "
                f"{room}; use smaller secrets, or raise max_payload there.",
            )
        self._figures.filled += 1
        return self._forward(message, body, given)

    def _refuse(self, message: Message, workload_id: str, text: str) -> Awaitable[None] | None:
        self._figures.refused += 1
        return self._answers.refuse(message.reply_to, workload_id, text)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("relay.start_failed", error=type(error).__name__)
