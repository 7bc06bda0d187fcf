"""From a change in the store to the caches of all replicas, and to operators."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.change_notice.messages import (
    EVENT,
    FLUSH,
    INVALIDATE,
    Cause,
    Invalidation,
    MalformedMessageError,
    ReplicaAnswer,
    changed_event,
    is_name,
    read_answers,
)
from adapters.system.cancelling import cancel
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from domain.model.selection import Selection
    from ports.clock import Clock
    from ports.peer_bus import Answers, PeerBus
    from ports.request_ids import RequestIds

ANSWER_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 4.0
MAX_IN_FLIGHT: Final = 64

_log = structlog.get_logger()


@final
class ChangeNotices:
    """Carries out the orders of other processes to forget values, and sends this one's.

    Args:
        ids: names each order.
        backend: the backend's name, for the event.
        replica: names this process in answers and logs.

    Raises:
        ValueError: the replica's name cannot stand in a message.
    """

    def __init__(
        self, peers: PeerBus, ids: RequestIds, clock: Clock, *, backend: str, replica: str
    ) -> None:
        if not is_name(replica):
            raise ValueError("A replica's name has 1 to 128 of A-Z, a-z, 0-9, and ._:@- in it.")
        self._peers = peers
        self._forget: Callable[[Selection], int] = lambda _: 0
        self._ids = ids
        self._clock = clock
        self._backend = backend
        self._replica = replica
        self._free = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._is_open = False

    async def start(self, forget: Callable[[Selection], int]) -> None:
        """Listen for orders; the bus is open. `forget`: forgets what is selected and returns how
        many values that were; must not block. Calls to the store that are in flight must not bring
        an old value back.
        """
        self._forget = forget
        self._is_open = True
        await self._peers.subscribe(INVALIDATE, self._take)
        await self._peers.subscribe(FLUSH, self._take, from_operators=True)

    def announce(self, selection: Selection) -> Awaitable[None]:
        """Forget the selection here at once, and have every process do so.

        The event for operators follows once the processes had a second to answer, so that a
        component that is restarted on it gets the new value. Returns what may be awaited: it ends
        once the order is on its way, and raises ChannelError if it could not be sent.
        """
        # Here at once: the order comes back to this process too, but only while the bus is there.
        self._forget(selection)
        sending = self._start(self._send(selection))
        # Asking for the exception keeps asyncio from reporting one that is not awaited.
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        return sending

    async def aclose(self) -> None:
        """Send what is still to be sent, within a few seconds."""
        self._is_open = False
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + CLOSE_SECONDS):
                while self._in_flight:
                    await asyncio.wait(self._in_flight)
        await cancel(self._in_flight)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="change-notice")
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)
        return task

    async def _send(self, selection: Selection) -> None:
        if not self._is_open:
            raise ChannelError("The service is starting or stopping.", reason="disconnected")
        order = Invalidation(self._ids.next(), self._replica, Cause.STORE, selection)
        # Beyond that many at a time a store that awaits this waits, for a second or so.
        await self._free.acquire()
        try:
            answers = await self._peers.ask(INVALIDATE, order.to_json())
        except BaseException as error:
            self._free.release()
            _log.warning("change_notice.unsent", id=order.id, error=type(error).__name__)
            raise
        self._start(self._confirm(order, answers)).add_done_callback(lambda _: self._free.release())

    async def _confirm(self, order: Invalidation, answers: Answers) -> None:
        replicas = read_answers(await answers.gather(ANSWER_SECONDS))
        event = changed_event(order, self._backend, self._clock.now(), len(replicas))
        try:
            await self._peers.publish(EVENT, event)
        except ChannelError as error:
            _log.warning("change_notice.event_unsent", id=order.id, reason=error.reason)
            return
        _log.info(
            "change_notice.announced",
            id=order.id,
            replicas=len(replicas),
            values=sum(answer.removed for answer in replicas),
        )

    def _take(self, message: bytes) -> bytes | None:
        try:
            order = Invalidation.from_json(message)
        except MalformedMessageError:
            _log.warning("change_notice.message_malformed", size=len(message))
            return None
        removed = self._forget(order.selection)
        _log.info(
            "change_notice.applied",
            id=order.id,
            cause=order.cause.value,
            origin=order.origin,
            values=removed,
        )
        return ReplicaAnswer(self._replica, removed).to_json()
