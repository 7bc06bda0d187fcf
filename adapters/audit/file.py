"""The audit trail as a file of JSON lines; rotating it is left to the system."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from adapters.audit.buffered import BufferedSink
from adapters.audit.line_file import ADVICE, LineFile
from adapters.audit.sink import AuditSinkError, BufferLimits, DeliveryFailedError
from adapters.system.own_thread import OwnThread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from adapters.audit.buffered import AuditLine
    from ports.clock import Clock

_MAX_BATCH = 1000
_LIMITS = BufferLimits()


class AuditFile(BufferedSink):
    """Appends one JSON line for each event, from a worker thread.

    A file that was moved away is noticed at the next write and created again. While it cannot be
    written, requests are refused at once, if the limits say so at all: what waits in memory is not
    yet kept.

    Args:
        fsync: when written events are forced from the system's memory to the disk: "never", so
            that a power failure may cost the last half minute; after each "batch", which is
            whatever arrived while the last one was written; or "always", after each event.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        limits: BufferLimits = _LIMITS,
        sign: Callable[[bytes], bytes] | None = None,
        *,
        fsync: Literal["never", "batch", "always"] = "batch",
    ) -> None:
        super().__init__(
            "file",
            clock,
            limits,
            max_batch=1 if fsync == "always" else _MAX_BATCH,
            refuse_while_failing=True,
            sign=sign,
        )
        self._path = path
        self._file = LineFile(path, sync=fsync != "never")
        self._reopen = False
        self._thread = OwnThread("audit-file")
        self._last: asyncio.Future[None] | None = None

    def reopen(self) -> None:
        """Reopen the file before the next write, as SIGHUP asks for."""
        self._reopen = True

    @override
    async def _open(self) -> None:
        try:
            await self._in_thread(self._file.open)
        except DeliveryFailedError as failure:
            advice = ADVICE.get(failure.reason, "see the reason and choose another place")
            raise AuditSinkError(
                f"The audit file {self._path} cannot be opened ({failure.reason}); {advice}."
            ) from None

    @override
    async def _deliver(self, batch: Sequence[AuditLine]) -> None:
        lines = [line.text for line in batch]
        await self._in_thread(lambda: self._append(lines))

    @override
    async def _close(self) -> None:
        # A write that hangs outlives the grace period; its file cannot be taken from under it.
        if self._last is None or self._last.done():
            await self._in_thread(self._file.close)
        self._thread.end()

    def _append(self, lines: Sequence[bytes]) -> None:
        if self._reopen:
            self._reopen = False
            self._file.close()
        self._file.append(lines)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        self._last = self._thread.run(work)
        await asyncio.shield(self._last)
