"""A sink in memory that may hang or fail, behind the buffer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.audit.buffered import AuditLine, BufferedSink
from adapters.audit.sink import BufferLimits, DeliveryFailedError, OnFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.clock import FakeClock


class MemorySink(BufferedSink):
    """Writes to a list; fails as often as a test says.

    Attributes:
        failures: raised by the next deliveries, first to last.
        broken: raised by every delivery while set.
        gate: deliveries wait here while it is cleared.
    """

    def __init__(
        self, clock: FakeClock, limits: BufferLimits, *, refuse_while_failing: bool = False
    ) -> None:
        super().__init__(
            "memory", clock, limits, max_batch=10, refuse_while_failing=refuse_while_failing
        )
        self.arrived: list[str] = []
        self.batches: list[int] = []
        self.failures: list[Exception] = []
        self.broken: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = 0

    @override
    async def _open(self) -> None:
        """Nothing to open."""

    @override
    async def _deliver(self, batch: Sequence[AuditLine]) -> None:
        await self.gate.wait()
        failure = self.broken or (self.failures.pop(0) if self.failures else None)
        arriving = batch
        if failure is not None:
            arriving = batch[: getattr(failure, "delivered", 0)]
        self.batches.append(len(arriving))
        self.arrived += [line.request_id for line in arriving]
        if failure is not None:
            raise failure

    @override
    async def _close(self) -> None:
        self.closed += 1
        raise OSError("closing fails too")


DOWN = DeliveryFailedError("disk_full")


def sink_of(
    clock: FakeClock,
    on_full: OnFull = OnFull.REFUSE,
    max_bytes: int = 10_000_000,
    *,
    refuse_while_failing: bool = False,
) -> MemorySink:
    limits = BufferLimits(max_bytes=max_bytes, on_full=on_full, grace_seconds=5)
    return MemorySink(clock, limits, refuse_while_failing=refuse_while_failing)
