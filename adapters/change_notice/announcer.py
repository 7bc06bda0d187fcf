"""From a notice to all replicas and to operators, without keeping Infisical waiting."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from adapters.change_notice.messages import Cause, Invalidation, is_name
from adapters.system.cancelling import cancel
from ports.transport import ChannelError

if TYPE_CHECKING:
    from adapters.change_notice.broadcast import Answers, InvalidationBroadcast
    from adapters.change_notice.invalidator import CacheInvalidator
    from adapters.change_notice.webhook_payload import ChangeNotice
    from ports.clock import Clock
    from ports.request_ids import RequestIds

MAX_UNDER_WAY: Final = 64
CLOSE_SECONDS: Final = 4.0

_log = structlog.get_logger()


class ChangeAnnouncer:
    """Spreads the notices that one replica gets.

    Raises:
        ValueError: the replica's name cannot stand in a message.
    """

    def __init__(
        self,
        broadcast: InvalidationBroadcast,
        cache: CacheInvalidator,
        ids: RequestIds,
        clock: Clock,
        *,
        replica: str,
    ) -> None:
        if not is_name(replica):
            raise ValueError("A replica's name has 1 to 128 of A-Z, a-z, 0-9, and ._:@- in it.")
        self._broadcast = broadcast
        self._cache = cache
        self._ids = ids
        self._clock = clock
        self._replica = replica
        self._free = asyncio.Semaphore(MAX_UNDER_WAY)
        self._under_way: set[asyncio.Task[None]] = set()

    async def announce(self, notice: ChangeNotice) -> None:
        """Forget the folder here and have every replica do so.

        On return the order is on its way. The event for operators follows once the replicas had
        their second to answer, so that whoever restarts a component on it gets the new value.

        Raises:
            ChannelError: NATS is away. This replica has forgotten the folder; the others are told
                when it is back, if this process lives that long.
        """
        selection = notice.selection
        # Here at once: the broadcast comes back to this replica too, but only while NATS is there.
        self._cache.invalidate(selection)
        invalidation = Invalidation(self._ids.next(), self._replica, Cause.WEBHOOK, selection)
        # Beyond that many at a time Infisical waits, for a second or so.
        await self._free.acquire()
        try:
            answers = await self._broadcast.send(invalidation)
        except BaseException:
            self._free.release()
            raise
        task = asyncio.create_task(self._confirm(invalidation, answers), name="change-notice")
        self._under_way.add(task)
        task.add_done_callback(self._done)

    async def aclose(self) -> None:
        """Publish what is still to be published, within a few seconds."""
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + CLOSE_SECONDS):
                while self._under_way:
                    await asyncio.wait(self._under_way)
        await cancel(self._under_way)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._free.release()

    async def _confirm(self, invalidation: Invalidation, answers: Answers) -> None:
        gathered = await answers.gather()
        try:
            await self._broadcast.publish_changed(invalidation, len(gathered))
        except ChannelError as error:
            _log.warning("change_notice.event_unsent", id=invalidation.id, reason=error.reason)
            return
        _log.info(
            "change_notice.announced",
            id=invalidation.id,
            replicas=len(gathered),
            values=sum(answer.removed for answer in gathered),
        )
