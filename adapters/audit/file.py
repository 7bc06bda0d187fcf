"""The audit trail as a file of JSON lines; rotating it is left to the system."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

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


class FsyncPolicy(StrEnum):
    """When written events are forced from the system's memory to the disk."""

    NEVER = "never"
    """The system decides: a power failure may cost the last half minute."""

    BATCH = "batch"
    """After each batch, which is whatever arrived while the last one was written."""

    ALWAYS = "always"
    """After each event on its own."""


class AuditFileConfig(NamedTuple):
    """Where the file is and how surely events reach the disk."""

    path: Path
    fsync: FsyncPolicy = FsyncPolicy.BATCH
    limits: BufferLimits = BufferLimits()


class AuditFile(BufferedSink):
    """Appends one JSON line for each event, from a worker thread.

    A file that was moved away is noticed at the next write and created again. While it cannot be
    written, `OnFull.REFUSE` refuses at once: what waits in memory is not yet kept.
    """

    def __init__(
        self, config: AuditFileConfig, clock: Clock, sign: Callable[[bytes], bytes] | None = None
    ) -> None:
        one_by_one = config.fsync is FsyncPolicy.ALWAYS
        super().__init__(
            "file",
            clock,
            config.limits,
            max_batch=1 if one_by_one else _MAX_BATCH,
            refuse_while_failing=True,
            sign=sign,
        )
        self._path = config.path
        self._file = LineFile(config.path, sync=config.fsync is not FsyncPolicy.NEVER)
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
            reason = failure.reason
        else:
            return
        advice = ADVICE.get(reason, "see the reason and choose another place")
        raise AuditSinkError(f"The audit file {self._path} cannot be opened ({reason}); {advice}.")

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
