"""Where finished log lines leave the process: at once, or, while it serves, without a wait."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import stat
from queue import SimpleQueue
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MAX_WAITING: Final = 32 * 1024 * 1024
"""Characters that may wait for a reader; lines beyond them are dropped and counted."""

CLOSE_SECONDS: Final = 2.0
"""How long a reader that has stopped reading may hold up the end of the process."""

_log = structlog.get_logger()


class _Batch(NamedTuple):
    lines: int
    text: str


class LogOutput:
    """Writes lines whole; a reader that is gone or asleep is no reason to fail, nor to wait.

    Outside `off_the_loop` every line is written before `msg` returns. Inside, the lines of one turn
    of the event loop leave together at its end: into a regular file straight away, and into
    anything that a reader could hold up, such as a pipe, from a thread of its own.
    """

    def __init__(self, file: TextIO, finish: Callable[[str], str] = str) -> None:
        self._file = file
        self._finish = finish
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._lines: list[str] = []
        self._queue: SimpleQueue[_Batch | None] | None = None
        # Each is changed by one thread alone, so that none needs a lock.
        self._lines_taken = self._characters_taken = 0
        self._lines_written = self._characters_written = 0
        self._dropped = 0
        self._closing = self._given_up = False

    @property
    def waiting_lines(self) -> int:
        """How many lines are not written yet."""
        return self._lines_taken - self._lines_written

    @property
    def waiting_characters(self) -> int:
        """How long they are together."""
        return self._characters_taken - self._characters_written

    def keeps_waiting(self, characters: int) -> bool:
        """Say whether at least so many characters are not written yet."""
        return self._characters_taken - self._characters_written >= characters

    def msg(self, line: str) -> None:
        """Write one line, or see to it that it will be written."""
        line = self._finish(line)
        loop = self._loop
        if loop is None:
            self._write(line + "\n")
        elif get_ident() == self._loop_thread:
            self._take(line)
        else:
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                loop.call_soon_threadsafe(self._take, line)

    debug = info = warning = error = critical = msg

    @contextlib.asynccontextmanager
    async def off_the_loop(self) -> AsyncIterator[None]:
        """Keep the running event loop from waiting for the reader of the lines."""
        thread: Thread | None = None
        if _may_stall(self._file):
            self._queue = SimpleQueue()
            # A daemon: one that hangs in a write must not keep the process from ending.
            thread = Thread(target=self._empty, args=(self._queue,), name="log", daemon=True)
            thread.start()
        self._loop, self._loop_thread = asyncio.get_running_loop(), get_ident()
        try:
            yield
        finally:
            self._hand_over()
            self._closing = True
            if thread is not None and self._queue is not None:
                self._queue.put(None)
                await asyncio.to_thread(thread.join, CLOSE_SECONDS)
                self._given_up = thread.is_alive()
            self._closing, self._loop, self._queue = False, None, None
            self._hand_over()

    def _take(self, line: str) -> None:
        if self.keeps_waiting(MAX_WAITING):
            self._dropped += 1
            return
        if not self._lines and self._loop is not None:
            self._loop.call_soon(self._hand_over)
        self._lines.append(line)
        self._lines_taken += 1
        self._characters_taken += len(line) + 1
        if self._dropped and not self.keeps_waiting(MAX_WAITING // 2):
            dropped, self._dropped = self._dropped, 0
            _log.warning("log.lines_dropped", count=dropped)

    def _hand_over(self) -> None:
        if self._closing or not self._lines:
            return
        lines, self._lines = self._lines, []
        batch = _Batch(len(lines), "\n".join((*lines, "")))
        if self._queue is None:
            self._finish_batch(batch)
        else:
            self._queue.put(batch)

    def _empty(self, queue: SimpleQueue[_Batch | None]) -> None:
        while (batch := queue.get()) is not None:
            self._finish_batch(batch)

    def _finish_batch(self, batch: _Batch) -> None:
        self._write(batch.text)
        self._lines_written += batch.lines
        self._characters_written += len(batch.text)

    def _write(self, text: str) -> None:
        if self._given_up:
            return
        with contextlib.suppress(OSError, ValueError):
            descriptor = _descriptor(self._file)
            if descriptor is None:
                self._file.write(text)
                self._file.flush()
            else:
                _write_all(descriptor, text.encode("utf-8", "backslashreplace"))


def _descriptor(file: TextIO) -> int | None:
    try:
        return file.fileno()
    except (OSError, ValueError):
        return None


def _may_stall(file: TextIO) -> bool:
    descriptor = _descriptor(file)
    return descriptor is not None and not stat.S_ISREG(os.fstat(descriptor).st_mode)


def _write_all(descriptor: int, data: bytes) -> None:
    # Past the file object: its lock, held by a thread that hangs, would end Python with an error.
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
