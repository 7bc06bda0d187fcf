"""The audit trail as a JetStream stream, over a connection that its owner opens and closes."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

import nats.errors
import structlog
from nats.js.api import Header
from typing_extensions import override

from adapters.audit.buffered import BufferedSink
from adapters.audit.publish_acks import PublishAcks
from adapters.audit.sink import AuditSinkError, DeliveryFailedError
from adapters.audit.stream_config import ensure_stream
from adapters.system.cancelling import honour_cancellation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from adapters.audit.buffered import AuditLine
    from adapters.audit.stream_config import AuditStreamConfig
    from ports.clock import Clock

_MAX_BATCH = 256
_ACK_SECONDS = 2.0
_API_SECONDS = 2.0
_HEADER_BYTES = 512
"""Room for a message's headers: the stream's name and the request's id."""

_log = structlog.get_logger()


class AuditStream(BufferedSink):
    """Publishes each event once and waits for the stream's word that it is kept.

    A batch is on its way at once, and its acknowledgements are awaited together. Whatever is not
    acknowledged is published again under the same `Nats-Msg-Id`, the request's id, so that the
    stream keeps it once, as long as it remembers the first (two minutes, unless the stream was made
    otherwise). While NATS is away events wait in memory.
    """

    def __init__(
        self,
        client: Client,
        config: AuditStreamConfig,
        clock: Clock,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        super().__init__(
            "stream",
            clock,
            config.limits,
            max_batch=_MAX_BATCH,
            refuse_while_failing=False,
            about={"stream": config.stream},
            sign=sign,
        )
        self._client = client
        self._config = config
        self._jetstream = client.jetstream(timeout=_API_SECONDS)
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._acks = PublishAcks(0, config.stream)
        self._round = ""

    @override
    async def _open(self) -> None:
        self._inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(f"{self._inbox}.*.*", cb=self._on_answer)
        try:
            await ensure_stream(self._jetstream, self._config)
        except AuditSinkError:
            await self._close()
            raise
        except (nats.errors.Error, TimeoutError, OSError) as error:
            # JetStream may not answer yet, or this user may publish and not manage streams.
            _log.warning(
                "audit.stream_unchecked", stream=self._config.stream, error=type(error).__name__
            )

    @override
    async def _deliver(self, batch: Sequence[AuditLine]) -> None:
        if not self._client.is_connected:
            raise DeliveryFailedError("nats_disconnected")
        # Answers to an earlier round are not counted: its messages are published again. A client
        # that has not seen this round's messages cannot name it before it is over.
        self._round = secrets.token_hex(8)
        acks = self._acks = PublishAcks(len(batch), self._config.stream)
        reason: str | None = None
        try:
            for number, line in enumerate(batch):
                await self._publish(number, line, acks)
                honour_cancellation()  # nats-py may have swallowed one
            async with self._clock.timeout_at(self._clock.monotonic() + _ACK_SECONDS):
                await acks.settled.wait()
            reason = acks.reason
        except TimeoutError:
            reason = "not_acknowledged"
        except (nats.errors.Error, OSError):
            reason = "nats_failed"
        if reason is None:
            return
        if reason == "stream_missing":
            await self._make_stream()
        raise DeliveryFailedError(reason, acks.leading)

    @override
    async def _close(self) -> None:
        if self._subscription is not None:
            with suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()
            self._subscription = None

    async def _publish(self, number: int, line: AuditLine, acks: PublishAcks) -> None:
        if len(line.text) + _HEADER_BYTES > self._client.max_payload:
            # It would block all later events forever.
            self._outages.drop()
            acks.acknowledge(number)
            return
        await self._client.publish(
            self._config.subject,
            line.text,
            reply=f"{self._inbox}.{self._round}.{number}",
            headers={Header.MSG_ID: line.request_id, Header.EXPECTED_STREAM: self._config.stream},
        )

    async def _on_answer(self, message: Msg) -> None:
        _, number_of_round, number = message.subject.rsplit(".", 2)
        if number_of_round == self._round:
            self._acks.answer(int(number), message.data)

    async def _make_stream(self) -> None:
        try:
            await ensure_stream(self._jetstream, self._config)
        except AuditSinkError as error:
            if not self.failing:
                _log.error("audit.stream_unusable", advice=str(error))
        except (nats.errors.Error, TimeoutError, OSError):
            pass  # the next round fails for the same reason, and that is logged
