"""Appending whole lines to a file that others may move away. Blocking: for a worker thread."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from adapters.audit.sink import DeliveryFailedError
from adapters.system.files import Folder, UnsafeFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT

_REASONS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "file_too_large",
    errno.EACCES: "permission_denied",
    errno.EPERM: "permission_denied",
    errno.EROFS: "read_only",
    errno.ENOENT: "folder_missing",
    errno.ENOTDIR: "folder_missing",
    errno.EISDIR: "no_regular_file",
    errno.ENXIO: "no_regular_file",
    errno.ELOOP: "symbolic_link",
}


ADVICE: Final = {
    "permission_denied": "let the service's user write to it and its folder",
    "folder_missing": "create its folder",
    "no_regular_file": "name a regular file",
    "folder_of_another_user": "run the service as the owner of its folder, not as root",
    "symbolic_link": "name the file itself, not a symbolic link",
    "read_only": "choose a place that is not mounted read-only",
    "disk_full": "make room on its disk",
}
"""What to do, by reason."""


class LineFile:
    """A regular file, made with mode 0600 if it is not there; an existing one keeps its mode.

    Several processes may append to one file on a local disk: a batch is one write. `sync`: whether
    each call of `append` ends with the lines on the disk itself.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        self._path = path
        self._sync = sync
        self._descriptor: int | None = None
        self._torn = False

    def open(self) -> None:
        """Open the file, unless it is open already and still the one under its name.

        Raises:
            DeliveryFailedError: it cannot be opened.
        """
        try:
            if self._descriptor is not None and not self._is_in_place(self._descriptor):
                self.close()
            if self._descriptor is None:
                self._descriptor = self._open()
        except OSError as error:
            raise DeliveryFailedError(_reason(error)) from None

    def append(self, lines: Sequence[bytes]) -> None:
        """Append the lines, each with a newline after it.

        Raises:
            DeliveryFailedError: a line that does not fit was taken back, or is ended by the next
                call, so that no line ever continues another.
        """
        self.open()
        descriptor = self._descriptor
        assert descriptor is not None  # noqa: S101  it was just opened
        start = b"\n" if self._torn else b""
        data = memoryview(start + b"".join(line + b"\n" for line in lines))
        written = 0
        try:
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except OSError as error:
            reason = _reason(error)
        else:
            self._torn = False
            self._flush(descriptor)
            return
        appended, torn_bytes = _whole_lines(lines, written - len(start))
        self._take_back(descriptor, torn_bytes)
        self.close()
        raise DeliveryFailedError(reason, appended)

    def close(self) -> None:
        """Close the file; `append` opens it again."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)

    def _open(self) -> int:
        with Folder.of(self._path) as folder:
            descriptor = folder.open(self._path.name, _FLAGS)
        try:
            self._torn = _ends_torn(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _is_in_place(self, descriptor: int) -> bool:
        mine = os.fstat(descriptor)
        try:
            named = self._path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)

    def _flush(self, descriptor: int) -> None:
        if not self._sync:
            return
        try:
            os.fsync(descriptor)
        except OSError as error:
            reason = _reason(error)
        else:
            return
        # The system may have given up on these lines for good, so they are written once more.
        self.close()
        raise DeliveryFailedError(reason)

    def _take_back(self, descriptor: int, torn_bytes: int) -> None:
        if not torn_bytes:
            return
        with suppress(OSError):
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
            # Another process may have appended since; its lines must stay.
            if os.fstat(descriptor).st_size == end:
                os.ftruncate(descriptor, end - torn_bytes)


def obstacle(path: Path) -> str | None:
    """Return why a file cannot be appended to, as a reason; None if nothing stands against it.

    Nothing is made: of a file that does not exist its folder is looked at.
    """
    try:
        with Folder.of(path) as folder:
            try:
                os.close(folder.open(path.name, _FLAGS & ~os.O_CREAT))
            except FileNotFoundError:
                return None if os.access(path.parent, os.W_OK | os.X_OK) else "permission_denied"
    except OSError as error:
        return _reason(error)
    return None


def _ends_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _whole_lines(lines: Sequence[bytes], size: int) -> tuple[int, int]:
    """Return how many lines the first `size` bytes hold, and the bytes of a torn one after them."""
    count = 0
    for line in lines:
        if size <= len(line):
            break
        size -= len(line) + 1
        count += 1
    return count, max(size, 0)


def _reason(error: OSError) -> str:
    number = error.errno or 0
    if isinstance(error, UnsafeFileError) and number == errno.EPERM:
        return "folder_of_another_user"
    return _REASONS.get(number) or errno.errorcode.get(number, "unknown_error").lower()
