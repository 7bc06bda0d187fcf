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
from adapters.crypto.control_messages import ControlMessageRefusedError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from adapters.change_notice.invalidator import CacheInvalidator
    from adapters.change_notice.subjects import ControlSubjects
    from adapters.crypto.control_messages import ControlCodec
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
        codec: ControlCodec,
        *,
        replica: str,
    ) -> None:
        if not is_name(replica):
            raise ValueError("A replica's name has 1 to 128 of A-Z, a-z, 0-9, and ._:@- in it.")
        self._client = client
        self._subjects = subjects
        self._cache = cache
        self._clock = clock
        self._codec = codec
        self._replica = replica
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        """Listen; on return the server knows, unless it is away just now.

        A user without the permission is no error here, since hosts are served all the same: the
        connection logs `nats.permission_denied`.
        """
        for subject, take in (
            (self._subjects.invalidate, self._take_from_replica),
            (self._subjects.flush, self._take_from_person),
        ):
            self._subscriptions.append(await self._client.subscribe(subject, cb=take))
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _FLUSH_SECONDS):
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("change_notice.listening_unconfirmed", error=type(error).__name__)
        else:
            _log.info(
                "change_notice.listening",
                subject=self._subjects.invalidate,
                flush_subject=self._subjects.flush,
                replica=self._replica,
            )

    async def aclose(self) -> None:
        """Listen no more; calling it again does nothing."""
        while self._subscriptions:
            with suppress(errors.Error, OSError):
                await self._subscriptions.pop().unsubscribe()

    async def _take_from_replica(self, message: Msg) -> None:
        try:
            body = self._codec.unwrap(self._subjects.invalidate, message.data)
        except ControlMessageRefusedError as error:
            _log.warning("change_notice.message_refused", reason=str(error), size=len(message.data))
            return
        await self._take(body, message.reply)

    async def _take_from_person(self, message: Msg) -> None:
        await self._take(message.data, message.reply)

    async def _take(self, body: bytes, reply: str) -> None:
        try:
            invalidation = Invalidation.from_json(body)
        except MalformedMessageError:
            _log.warning("change_notice.message_malformed", size=len(body))
            return
        removed = self._cache.invalidate(invalidation.selection)
        _log.info(
            "change_notice.applied",
            id=invalidation.id,
            cause=invalidation.cause.value,
            origin=invalidation.origin,
            values=removed,
        )
        await self._answer(reply, ReplicaAnswer(self._replica, removed))

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
