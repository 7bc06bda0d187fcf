"""Files that hold keys, credentials, rules or audit events, used by descriptor.

A path is looked up once, one folder after another, and everything that follows is done to the open
descriptor: what another user puts under the name meanwhile is never written to, owned or opened.

- A file that is created, replaced, appended to or removed is never reached through a link of its
  own name, and root does so only in folders that root owns.
- A file that is read may be reached through links, as Kubernetes mounts them, but only through
  those of root, of this process's user and, unless that user is root, of the folder's owner.
- Only regular files are opened: a pipe or device would keep its reader waiting.

Every function blocks, and raises OSError: `UnsafeFileError` where one of these rules is broken.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from adapters.system.file_lookup import (
    OWNER_ONLY,
    UnsafeFileError,
    looked_up,
    open_regular,
    process_user,
    refuse_foreign_folder,
)
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "FileContent",
    "Folder",
    "UnsafeFileError",
    "create_file",
    "open_to_read",
    "process_user",
    "read_file",
    "replace_file",
]

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


@opaque
class FileContent:
    """What a file held when it was read.

    Attributes:
        mode: its permission bits.
        owner: its user's number.
    """

    data: bytes
    mode: int
    owner: int

    @property
    def open_to_others(self) -> bool:
        """Whether users beside the owner may read, write or run it."""
        return bool(self.mode & 0o077)


def read_file(path: Path, max_bytes: int) -> FileContent:
    """Read a regular file; of a longer one the first `max_bytes`.

    Raises:
        OSError: it cannot be read; UnsafeFileError as the module says.
    """
    with os.fdopen(open_to_read(path), "rb") as file:
        status = os.fstat(file.fileno())
        return FileContent(file.read(max_bytes), stat.S_IMODE(status.st_mode), status.st_uid)


def open_to_read(path: Path) -> int:
    """Return the descriptor of a regular file, open for reading.

    Raises:
        OSError: it cannot be opened; UnsafeFileError as the module says.
    """
    with looked_up(path, follow=True) as (folder, name):
        return open_regular(folder, name, os.O_RDONLY)


def create_file(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a new file with that very mode, whatever the umask; it appears whole, or not at all.

    Raises:
        FileExistsError: the name is taken; what has it is left as it is.
        OSError: it cannot be written; UnsafeFileError as the module says.
    """
    with Folder.of(path) as folder:
        folder.create(path.name, data, mode)


def replace_file(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a file that takes the place of what has its name, whole and at once.

    Raises:
        OSError: it cannot be written; UnsafeFileError as the module says.
    """
    new = f".{path.name}.{secrets.token_hex(8)}"
    with Folder.of(path) as folder:
        folder.create(new, data, mode)
        try:
            folder.replace(path.name, by=new)
        except OSError:
            folder.remove(new)
            raise


class Folder:
    """One folder, held open, in which files are created, replaced and removed by name."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Iterator[Self]:
        """Hold the folder of `path` open.

        Raises:
            OSError: it cannot be opened; UnsafeFileError as the module says.
        """
        with looked_up(path, follow=False) as (descriptor, _):
            refuse_foreign_folder(descriptor)
            yield cls(descriptor)

    def open(self, name: str, flags: int, mode: int = OWNER_ONLY) -> int:
        """Return the descriptor of a regular file of that name, opened with `os.open`'s flags."""
        return open_regular(self._descriptor, name, flags, mode)

    def create(
        self, name: str, data: bytes, mode: int = OWNER_ONLY, owner: tuple[int, int] | None = None
    ) -> None:
        """Write a new file that appears whole, with its mode and owner, or not at all.

        Args:
            mode: its permission bits, whatever the umask.
            owner: the numbers of its user and group, unless they are this process's.

        Raises:
            FileExistsError: the name is taken; what has it is left as it is.
        """
        temporary = f".{name}.{secrets.token_hex(8)}"
        try:
            self._write(temporary, data, mode, owner)
            try:
                # A rename would replace what has the name.
                here = self._descriptor
                os.link(temporary, name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                self._write(name, data, mode, owner)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self._descriptor)

    def replace(self, name: str, by: str) -> None:
        """Give the file `by` the name of another, which is gone then."""
        os.replace(by, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove a file; of a link the link itself."""
        os.unlink(name, dir_fd=self._descriptor)

    def _write(self, name: str, data: bytes, mode: int, owner: tuple[int, int] | None) -> None:
        descriptor = self.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(descriptor, *owner)
            # After the owner, whose change takes bits away; and whatever the umask.
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)


def why_not_read(error: OSError | ValueError, file: str) -> str:
    """Say why `read_file` failed, as part of a sentence. `file`: what it is, such as "the file"."""
    if isinstance(error, UnsafeFileError):
        return f"{file} is not read: {error.strerror}"
    reason = getattr(error, "strerror", None) or "no usable path"
    return f"{file} cannot be read ({reason}); check its path, its mode and the mount"
