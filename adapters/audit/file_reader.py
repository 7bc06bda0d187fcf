"""Reading an audit file, and following it through rotations."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, BinaryIO

from adapters.system.files import open_to_read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ports.clock import Clock

POLL_SECONDS = 0.25
"""How often a reader that follows looks for more."""

_CHUNK_BYTES = 1024 * 1024


class AuditReadError(Exception):
    """The trail cannot be read; the text says what to check."""


async def read_file(path: Path, clock: Clock, *, follow: bool) -> AsyncIterator[bytes]:
    """Yield the file's lines; with `follow`, those that come too, and those of the file after it.

    Raises:
        AuditReadError: there is no such file, or it may not be read.
    """
    lines = _Lines(path)
    try:
        await asyncio.to_thread(lines.open)
        while True:
            # Looked for first: what was written before the file was replaced is still read here.
            replaced = follow and await asyncio.to_thread(lines.is_replaced)
            found = await asyncio.to_thread(lines.more)
            for line in found:
                yield line
            if found:
                continue
            if replaced:
                await asyncio.to_thread(lines.open)
            elif follow:
                await clock.sleep(POLL_SECONDS)
            else:
                return
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror}); check path and mode."
        raise AuditReadError(problem) from None
    finally:
        lines.close()


class _Lines:
    """Whole lines of a file, as far as it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""

    def open(self) -> None:
        self.close()
        self._file = os.fdopen(open_to_read(self._path), "rb")
        self._rest = b""

    def more(self) -> list[bytes]:
        if self._file is None:
            return []
        data = self._file.read(_CHUNK_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line for line in lines if line]

    def is_replaced(self) -> bool:
        """Say whether the name stands for another or a shorter file by now."""
        if self._file is None:
            return False
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False  # being rotated: the new one is yet to come
        mine = os.fstat(self._file.fileno())
        same = (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino)
        return not same or named.st_size < self._file.tell()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
