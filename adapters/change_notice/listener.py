"""The replica's side: forget what the control subject says, and answer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from nats import errors

from adapters.change_notice.messages import (
    Invalidation,
    MalformedMessageError,
    ReplicaAnswer,
    is_name,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from adapters.change_notice.invalidator import CacheInvalidator
    from adapters.change_notice.subjects import ControlSubjects
    from ports.clock import Clock

_FLUSH_SECONDS = 2.0
_LONGEST_REPLY_SUBJECT = 1024
"""Longer ones could push the answer's control line over what the server takes."""

_log = structlog.get_logger()


class InvalidationListener:
    """Listens over a connection that its owner opens and closes.

    What is published while this replica is away from NATS it never hears: a value's lifetime in the
    cache bounds what that can cost.

    Raises:
        ValueError: the replica's name cannot stand in an answer.
    """

    def __init__(
        self,
        client: Client,
        subjects: ControlSubjects,
        cache: CacheInvalidator,
        clock: Clock,
        *,
        replica: str,
    ) -> None:
        if not is_name(replica):
            raise ValueError("A replica's name has 1 to 128 of A-Z, a-z, 0-9, and ._:@- in it.")
        self._client = client
        self._subjects = subjects
        self._cache = cache
        self._clock = clock
        self._replica = replica
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Listen; on return the server knows, unless it is away just now.

        A user without the permission is no error here, since hosts are served all the same: the
        connection logs `nats.permission_denied`.
        """
        subject = self._subjects.invalidate
        self._subscription = await self._client.subscribe(subject, cb=self._take)
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _FLUSH_SECONDS):
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("change_notice.listening_unconfirmed", error=type(error).__name__)
        else:
            _log.info("change_notice.listening", subject=subject, replica=self._replica)

    async def aclose(self) -> None:
        """Listen no more; calling it again does nothing."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(errors.Error, OSError):
                await subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        try:
            invalidation = Invalidation.from_json(message.data)
        except MalformedMessageError:
            _log.warning("change_notice.message_malformed", size=len(message.data))
            return
        removed = self._cache.invalidate(invalidation.selection)
        _log.info(
            "change_notice.applied",
            id=invalidation.id,
            cause=invalidation.cause.value,
            origin=invalidation.origin,
            values=removed,
        )
        await self._answer(message.reply, ReplicaAnswer(self._replica, removed))

    async def _answer(self, address: str, answer: ReplicaAnswer) -> None:
        if not self._usable(address):
            return
        try:
            await self._client.publish(address, answer.to_json())
        except (errors.Error, OSError) as error:
            _log.warning("change_notice.answer_failed", error=type(error).__name__)

    def _usable(self, address: str) -> bool:
        # Else a sender could have this replica write, with its permissions, into streams and
        # buckets or onto the control subject itself.
        own = f"{self._subjects.prefix}."
        return 0 < len(address) <= _LONGEST_REPLY_SUBJECT and not address.startswith(("$", own))
