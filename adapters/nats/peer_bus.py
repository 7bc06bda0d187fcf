"""The peer bus over NATS: one control subject a topic, heard by every process of the backend."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import structlog
from nats import errors
from typing_extensions import override

from adapters.nats.headers import NO_RESPONDERS, STATUS
from adapters.nats.subjects import ReplySubjects
from ports.peer_bus import Answers, PeerBus
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from adapters.nats.subjects import ControlSubjects
    from ports.clock import Clock
    from ports.transport_plugin import PeerMessages

ORIGIN: Final = "Wasmcloud-Secrets-Origin"
"""The header by which a process knows its own messages; it proves nothing."""

SEND_SECONDS: Final = 2.0
MAX_ANSWERS: Final = 1024

_log = structlog.get_logger()


@final
class NatsPeerBus(PeerBus):
    """Speaks over a connection that its owner opens and closes.

    A user without the permission for a subject is no error here, since hosts are served all the
    same: the connection logs `nats.permission_denied`.

    Args:
        messages: authenticates messages; None for an operator's command, which holds no key.
        own_inbox: what the inboxes of every replica begin with: no operator's order is answered
            there.
    """

    def __init__(
        self,
        client: Client,
        subjects: ControlSubjects,
        clock: Clock,
        messages: PeerMessages | None = None,
        *,
        own_inbox: str | None = None,
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._clock = clock
        self._messages = messages
        self._replies = ReplySubjects(subjects.prefix)
        self._replies_to_operators = ReplySubjects(subjects.prefix, [own_inbox])
        self._origin = secrets.token_hex(16)
        self._sending: set[asyncio.Task[None]] = set()

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        task = asyncio.create_task(self._broadcast(topic, payload), name=f"peer-bus-{topic}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    @override
    async def subscribe(
        self, topic: str, received: Callable[[bytes], bytes | None], *, from_operators: bool = False
    ) -> None:
        subject = self._subjects.of(topic)
        replies = self._replies_to_operators if from_operators else self._replies

        async def take(message: Msg) -> None:
            # A broadcast is for other processes; a question is answered by this one as well.
            if not message.reply and (message.headers or {}).get(ORIGIN) == self._origin:
                return
            answer: bytes | None = None
            try:
                body = message.data if from_operators else self._read(subject, message.data)
                answer = None if body is None else received(body)
            except Exception as error:  # noqa: BLE001  as the port promises
                _log.error("peer_bus.receiver_failed", topic=topic, error=type(error).__name__)
            if answer is not None and replies.may_be(message.reply.encode()):
                await self._answer(message.reply, answer)

        try:
            await self._client.subscribe(subject, cb=take)
            async with self._clock.timeout_at(self._clock.monotonic() + SEND_SECONDS):
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            # nats-py subscribes again by itself once it is reconnected.
            _log.warning("peer_bus.unconfirmed", subject=subject, error=type(error).__name__)
        else:
            _log.info("peer_bus.listening", subject=subject)

    @override
    async def ask(self, topic: str, payload: bytes) -> NatsAnswers:
        answers = NatsAnswers(self._clock)
        subject, sent = self._subjects.of(topic), False
        try:
            sent = await self._send(subject, self._written(subject, payload), answers)
        finally:
            if not sent:
                await answers.close()
        if not sent:
            raise _unsent(subject)
        return answers

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        subject = self._subjects.event(event)
        if not await self._send(subject, payload):
            raise _unsent(subject)

    async def aclose(self) -> None:
        """Send nothing more."""
        for task in self._sending:
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    async def _broadcast(self, topic: str, payload: bytes) -> None:
        subject = self._subjects.of(topic)
        if not await self._send(subject, self._written(subject, payload)):
            _log.warning("peer_bus.unsent", topic=topic)

    def _written(self, subject: str, payload: bytes) -> bytes:
        return payload if self._messages is None else self._messages.wrap(subject, payload)

    def _read(self, subject: str, message: bytes) -> bytes | None:
        if self._messages is None:
            return None
        try:
            return self._messages.unwrap(subject, message)
        except ValueError as error:
            _log.warning(
                "peer_bus.message_refused", subject=subject, reason=str(error), size=len(message)
            )
            return None

    async def _send(self, subject: str, body: bytes, answers: NatsAnswers | None = None) -> bool:
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + SEND_SECONDS):
                if answers is not None:
                    await answers.open(self._client)
                reply = "" if answers is None else answers.inbox
                headers = None if self._messages is None else {ORIGIN: self._origin}
                await self._client.publish(subject, body, reply=reply, headers=headers)
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError):
            return False
        # While it is reconnecting, nats-py's flush returns as if all were well.
        return self._client.is_connected

    async def _answer(self, address: str, answer: bytes) -> None:
        try:
            await self._client.publish(address, answer)
        except (errors.Error, OSError) as error:
            _log.warning("peer_bus.answer_failed", error=type(error).__name__)


@final
class NatsAnswers(Answers):
    """Answers to one question, until `gather` has returned them. `inbox`: where they come in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: list[bytes] = []
        self._unheard = asyncio.Event()
        self._subscription: Subscription | None = None
        self.inbox = ""

    @property
    def unheard(self) -> bool:
        """Whether the server said that no process listens."""
        return self._unheard.is_set()

    @override
    async def gather(self, seconds: float) -> Sequence[bytes]:
        with suppress(TimeoutError):
            try:
                async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                    await self._unheard.wait()
            finally:
                await self.close()
        return tuple(self._answers)

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
        if not message.data and (message.headers or {}).get(STATUS) == NO_RESPONDERS:
            self._unheard.set()
        elif len(self._answers) < MAX_ANSWERS:
            self._answers.append(message.data)


def _unsent(subject: str) -> ChannelError:
    return ChannelError(
        f"The message to {subject} could not be sent: the connection to NATS is gone. Check that "
        "nats-server is running and NATS_URL is right.",
        reason="disconnected",
    )
