"""A bounded buffer with one writer behind it, so that recording never waits for anything."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

from adapters.audit.outages import Outages
from adapters.audit.sink import AuditSink, BufferLimits, DeliveryFailedError, OnFull
from adapters.system.cancelling import cancel
from adapters.telemetry.audit_lines import AuditLines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.model.audit import AuditEvent
    from ports.clock import Clock

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class AuditLine(NamedTuple):
    """One event, ready to be written: its request's id and one line of JSON."""

    request_id: str
    text: bytes


class BufferedSink(AuditSink):
    """Keeps lines until they are written: in order, in batches, trying again as long as it takes.

    Subclasses say how a batch is written. All calls belong to one event loop.

    With `OnFull.REFUSE` the event of a secret that has left is kept even beyond the buffer's bound:
    `accepts` has said no by then, so there are no more of them than requests in flight.

    Args:
        name: "file" or "stream"; log events are called `audit.<name>_failed` and so on.
        max_batch: the most lines in one batch.
        refuse_while_failing: whether `OnFull.REFUSE` refuses from the first failed write on, or
            only once the buffer is full.
        about: fields of each log record about this sink.
        sign: makes a signed line of a line; see `adapters.audit.signing`.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        limits: BufferLimits,
        *,
        max_batch: int,
        refuse_while_failing: bool,
        about: Mapping[str, str] | None = None,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._refuses = limits.on_full is OnFull.REFUSE
        self._max_batch = max_batch
        self._refuse_while_failing = refuse_while_failing
        self._outages = Outages(name, clock, about or {})
        self._lines = AuditLines()
        self._sign = sign
        self._waiting: deque[AuditLine] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._closed = False
        self._writer: asyncio.Task[None] | None = None

    @property
    def dropped(self) -> int:
        """Events lost since the start."""
        return self._outages.dropped

    @property
    def waiting(self) -> int:
        """Events not yet written."""
        return len(self._waiting)

    @property
    def failing(self) -> bool:
        """Whether the last write failed."""
        return self._outages.reason is not None

    @override
    def accepts(self) -> bool:
        if not self._refuses:
            return True
        return not (
            self._closed
            or self._bytes >= self._limits.max_bytes
            or (self._refuse_while_failing and self.failing)
        )

    @override
    def record(self, event: AuditEvent) -> None:
        # Whatever goes wrong here, the request has its answer already and must get it.
        with suppress(Exception):
            if self._closed or (
                self._bytes >= self._limits.max_bytes and not (self._refuses and event.has_left)
            ):
                self._outages.drop()
                return
            try:
                text = self._lines.line(event).encode("ascii")
                line = AuditLine(event.request_id, self._sign(text) if self._sign else text)
            except (OverflowError, ValueError):
                self._outages.drop()
                return
            self._waiting.append(line)
            self._bytes += len(line.text)
            self._wake.set()

    @override
    async def start(self) -> None:
        await self._open()
        self._writer = asyncio.create_task(self._write_forever(), name="audit-writer")

    @override
    async def aclose(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._writer is not None:
            deadline = self._clock.monotonic() + self._limits.grace_seconds
            try:
                with suppress(TimeoutError):
                    async with self._clock.timeout_at(deadline):
                        await asyncio.wait((self._writer,))
            finally:
                await cancel((self._writer,))
            self._writer = None
        self._closed = True
        self._outages.lose(len(self._waiting))
        self._waiting.clear()
        self._bytes = 0
        with suppress(Exception):
            await self._close()

    @abstractmethod
    async def _open(self) -> None:
        """Get ready; see `start`."""

    @abstractmethod
    async def _deliver(self, batch: Sequence[AuditLine]) -> None:
        """Write the lines in order.

        Raises:
            DeliveryFailedError: not all of them arrived.
        """

    @abstractmethod
    async def _close(self) -> None:
        """Let go of what `_open` took."""

    async def _write_forever(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            if not self._waiting:
                if self._closing.is_set():
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            if await self._write_once():
                pause = _FIRST_PAUSE_SECONDS
            else:
                await self._pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _write_once(self) -> bool:
        batch = tuple(islice(self._waiting, self._max_batch))
        reason: str | None = None
        delivered = len(batch)
        try:
            await self._deliver(batch)
        except DeliveryFailedError as failure:
            reason, delivered = failure.reason, failure.delivered
        except Exception as error:  # noqa: BLE001  a writer that ends would take the trail with it
            reason, delivered = f"unexpected_{type(error).__name__}", 0
        for _ in range(delivered):
            self._bytes -= len(self._waiting.popleft().text)
        if reason is None:
            self._outages.over()
            return True
        self._outages.failed(reason, waiting=len(self._waiting))
        return False

    async def _pause(self, seconds: float) -> None:
        if self._closing.is_set():
            await self._clock.sleep(_FIRST_PAUSE_SECONDS)
            return
        # Closing ends the pause: what is waiting deserves one more try at once.
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                await self._closing.wait()
