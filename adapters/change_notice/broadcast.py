"""The sender's side: tell every replica, gather their answers, publish that something changed."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog
from nats import errors
from nats.js.api import Header

from adapters.change_notice.messages import MalformedMessageError, ReplicaAnswer
from ports.transport import ChannelError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from adapters.change_notice.messages import Invalidation
    from adapters.change_notice.subjects import ControlSubjects
    from adapters.crypto.control_messages import ControlCodec
    from ports.clock import Clock

ANSWER_SECONDS: Final = 1.0
EVENT_SCHEMA: Final = 1

_SEND_SECONDS = 2.0
_MAX_ANSWERS = 1024
_NO_RESPONDERS = "503"

_log = structlog.get_logger()


class Answers:
    """The answers to one invalidation, until `gather` has returned them.

    Attributes:
        inbox: where they come in.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_replica: dict[str, ReplicaAnswer] = {}
        self._nobody = asyncio.Event()
        self._subscription: Subscription | None = None
        self.inbox = ""

    @property
    def nobody_listens(self) -> bool:
        """Whether the server said so."""
        return self._nobody.is_set()

    async def gather(self, seconds: float = ANSWER_SECONDS) -> list[ReplicaAnswer]:
        """Return what came by then, sorted by replica; at once if nobody listens."""
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                await self._nobody.wait()
        except TimeoutError:
            pass
        finally:
            await self.close()
        return [self._by_replica[name] for name in sorted(self._by_replica)]

    async def open(self, client: Client) -> None:
        """Begin to listen at `inbox`."""
        self.inbox = client.new_inbox()
        self._subscription = await client.subscribe(self.inbox, cb=self._take)

    async def close(self) -> None:
        """Listen no more; calling it again does nothing."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(errors.Error, OSError):
                await subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        if not message.data and (message.headers or {}).get(Header.STATUS) == _NO_RESPONDERS:
            self._nobody.set()
            return
        try:
            answer = ReplicaAnswer.from_json(message.data)
        except MalformedMessageError:
            _log.warning("change_notice.answer_malformed", size=len(message.data))
            return
        if len(self._by_replica) < _MAX_ANSWERS:
            self._by_replica[answer.replica] = answer


class InvalidationBroadcast:
    """Sends over a connection that its owner opens and closes.

    Args:
        codec: what replicas' orders are authenticated with; None for a person's, who holds no key.
    """

    def __init__(
        self,
        client: Client,
        subjects: ControlSubjects,
        clock: Clock,
        codec: ControlCodec | None = None,
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._clock = clock
        self._codec = codec

    @property
    def subject(self) -> str:
        """Where orders go: those of replicas, and those of people, who hold no key."""
        return self._subjects.flush if self._codec is None else self._subjects.invalidate

    async def send(self, invalidation: Invalidation) -> Answers:
        """Tell every replica; on return the server knows.

        Raises:
            ChannelError: the server could not be told; once it is back, it is told all the same.
        """
        answers = Answers(self._clock)
        sent = False
        body = invalidation.to_json()
        subject = self.subject
        if self._codec is not None:
            body = self._codec.wrap(subject, body)
        try:
            sent = await self._send(subject, body, answers)
        finally:
            if not sent:
                await answers.close()
        if not sent:
            raise _unsent(subject)
        return answers

    async def publish_changed(self, invalidation: Invalidation, replicas: int) -> None:
        """Publish for operators that secrets may have changed; it holds no value.

        Args:
            invalidation: what was to be forgotten.
            replicas: how many replicas said that they have.

        Raises:
            ChannelError: the server could not be told.
        """
        body = changed_event(invalidation, self._subjects.backend, self._clock.now(), replicas)
        if not await self._send(self._subjects.changed, body):
            raise _unsent(self._subjects.changed)

    async def _send(self, subject: str, body: bytes, answers: Answers | None = None) -> bool:
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _SEND_SECONDS):
                if answers is not None:
                    await answers.open(self._client)
                reply = "" if answers is None else answers.inbox
                await self._client.publish(subject, body, reply=reply)
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError):
            return False
        # While it is reconnecting, nats-py's flush returns as if all were well.
        return self._client.is_connected


def changed_event(invalidation: Invalidation, backend: str, now: float, replicas: int) -> bytes:
    """Write the event `secrets.changed`, schema 1; docs/change-notice.md lists its members."""
    selection = invalidation.selection
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return json.dumps(
        {
            "schema": EVENT_SCHEMA,
            "event": "secrets.changed",
            "id": invalidation.id,
            "time": time.replace("+00:00", "Z"),
            "cause": invalidation.cause.value,
            "backend": backend,
            "environment": selection.coordinate("environment"),
            "project_id": selection.coordinate("project_id"),
            "folder": selection.folder if selection.key is None else None,
            "key": selection.key,
            "replicas": replicas,
        }
    ).encode()


def _unsent(subject: str) -> ChannelError:
    return ChannelError(
        f"The message to {subject} could not be sent: the connection to NATS is gone. Check that "
        "nats-server is running and NATS_URL is right.",
        reason="disconnected",
    )
