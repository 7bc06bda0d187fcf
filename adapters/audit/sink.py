"""An audit trail that is opened before the first request and closed after the last, or several."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, final

from typing_extensions import override

from ports.audit import AuditTrail
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.audit.buffered import BufferedSink
    from adapters.telemetry.audit_log import AuditLog
    from domain.model.audit import AuditEvent


class OnFull(StrEnum):
    """What happens to requests while a sink can keep no more events."""

    REFUSE = "refuse"
    """No secret leaves: `accepts` says no."""

    DROP = "drop"
    """Secrets leave; events are lost and counted."""


class BufferLimits(NamedTuple):
    """How much may wait, and what happens beyond.

    Attributes:
        max_bytes: of waiting lines; a usual event has about 1 KiB.
        on_full: whether requests are refused or events dropped while that much is waiting.
        grace_seconds: how long closing may take to write what is waiting.
    """

    max_bytes: int = 16 * 1024 * 1024
    on_full: OnFull = OnFull.REFUSE
    grace_seconds: float = 5.0


class AuditSink(AuditTrail, Protocol):
    """An audit trail with a beginning and an end."""

    @abstractmethod
    async def start(self) -> None:
        """Open it; events recorded before are kept as room allows.

        Raises:
            AuditSinkError: it cannot work as it is configured.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Write what is waiting, within the sink's grace period, and close; never raises."""


class DeliveryFailedError(Exception):
    """A batch did not arrive as a whole. `delivered`: how many of the batch's first lines have
    arrived; the rest is tried again.
    """

    def __init__(self, reason: str, delivered: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delivered = delivered


class AuditSinkError(Exception):
    """A sink cannot work as it is configured; the text says what to change."""


class AuditFanOut(AuditSink):
    """Gives every event to every sink; accepts only what all of them accept."""

    def __init__(self, sinks: Sequence[AuditSink]) -> None:
        self._sinks = tuple(sinks)

    @override
    def accepts(self) -> bool:
        return all(sink.accepts() for sink in self._sinks)

    @override
    def record(self, event: AuditEvent) -> None:
        for sink in self._sinks:
            # No sink is to raise; one that does all the same must not cost the others the event.
            with suppress(Exception):
                sink.record(event)

    @override
    async def start(self) -> None:
        for number, sink in enumerate(self._sinks):
            try:
                await sink.start()
            except BaseException:
                await _close(self._sinks[:number])
                raise

    @override
    async def aclose(self) -> None:
        await _close(self._sinks)


async def _close(sinks: Sequence[AuditSink]) -> None:
    # At once, so that one sink's grace period is not added to another's.
    await asyncio.gather(*(sink.aclose() for sink in sinks), return_exceptions=True)


@final
class ServedApart(AuditSink):
    """Gives events of served secrets to one sink and all others to another.

    What fills the other, or keeps it from being written, neither takes room from the first nor has
    requests refused: `accepts` asks the first alone.
    """

    def __init__(self, served: AuditSink, others: AuditSink) -> None:
        self._served = served
        self._others = others

    @override
    def accepts(self) -> bool:
        return self._served.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        (self._served if event.has_left else self._others).record(event)

    @override
    async def start(self) -> None:
        await self._served.start()
        try:
            await self._others.start()
        except BaseException:
            await self._served.aclose()
            raise

    @override
    async def aclose(self) -> None:
        await asyncio.gather(self._served.aclose(), self._others.aclose(), return_exceptions=True)


def audit_samples(
    trail: AuditTrail, buffers: Mapping[str, AuditLog | BufferedSink]
) -> Iterator[Sample]:
    """Yield every figure of the audit trail as it is now; `buffers` by the sinks' names."""
    yield Sample(
        "audit_accepting",
        "1 while the audit trail takes events; at 0 requests are refused.",
        trail.accepts(),
    )
    for name, buffer in buffers.items():
        sink = (("sink", name),)
        yield Sample("audit_events_waiting", "Audit events not yet written.", buffer.waiting, sink)
        yield Sample(
            "audit_events_dropped_total", "Audit events lost.", buffer.dropped, sink, "counter"
        )
        yield Sample(
            "audit_sink_failing",
            "1 while the last write failed, otherwise 0.",
            buffer.failing,
            sink,
        )
