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
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER_ONLY: Final = 0o600

_ROOT = 0
_MAX_LINKS = 40
"""As many as Linux follows in one path."""

_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})

_IS_LINK = "it is a symbolic link; name the file itself"
_FOREIGN_LINK = "another user's symbolic link is on its path; name the file itself"
_NO_FILE = "it is no regular file; name a regular file"
_FOREIGN_FOLDER = (
    "another user owns its folder, and what root does there that user can misdirect; run this as "
    "the owner of the folder, or give the folder to root"
)


class UnsafeFileError(OSError):
    """The file is not used; `strerror` says why and what to do.

    `errno` is ELOOP for a link, ENXIO for no regular file, EPERM for root in a foreign folder.
    """


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file held when it was read.

    Attributes:
        mode: its permission bits.
        owner: its user's number.
    """

    data: bytes = field(repr=False)
    mode: int
    owner: int

    @property
    def open_to_others(self) -> bool:
        """Whether users beside the owner may read, write or run it."""
        return bool(self.mode & 0o077)


def process_user() -> int:
    """Return the number of the user that this process acts as."""
    return os.geteuid()


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
    with _looked_up(path, follow=True) as (folder, name):
        return _open_regular(folder, name, os.O_RDONLY)


def create_file(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a new file with that very mode, whatever the umask; it appears whole, or not at all.

    Raises:
        FileExistsError: the name is taken; what has it is left as it is.
        OSError: it cannot be written; UnsafeFileError as the module says.
    """
    with Folder.of(path) as folder:
        folder.create(path.name, data, mode)


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
        with _looked_up(path, follow=False) as (descriptor, _):
            if process_user() == _ROOT and os.fstat(descriptor).st_uid != _ROOT:
                raise UnsafeFileError(errno.EPERM, _FOREIGN_FOLDER)
            yield cls(descriptor)

    def open(self, name: str, flags: int, mode: int = OWNER_ONLY) -> int:
        """Return the descriptor of a regular file of that name, opened with `os.open`'s flags."""
        return _open_regular(self._descriptor, name, flags, mode)

    def create(
        self, name: str, data: bytes, mode: int = OWNER_ONLY, owner: tuple[int, int] | None = None
    ) -> None:
        """Write a new file that appears whole, with its mode and owner, or not at all.

        Args:
            name: what it is called in the folder.
            data: all of it.
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


def _open_regular(folder: int, name: str, flags: int, mode: int = OWNER_ONLY) -> int:
    try:
        descriptor = os.open(name, flags | _FILE_FLAGS, mode, dir_fd=folder)
    except OSError as error:
        number = error.errno
        if number not in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise
    else:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        number = errno.ENXIO
    if number == errno.ENXIO:
        raise UnsafeFileError(errno.ENXIO, _NO_FILE)
    raise UnsafeFileError(errno.ELOOP, _IS_LINK)


@contextmanager
def _looked_up(path: Path, *, follow: bool) -> Iterator[tuple[int, str]]:
    """Give the descriptor of the folder that a path ends in, and the name in it.

    Args:
        path: absolute, or from where this process stands.
        follow: whether the name may be a link, which is then followed to where it ends.
    """
    parts = deque(path.parts)
    folder = os.open(".", _FOLDER_FLAGS)  # an absolute path's first part is "/"
    links = 0
    try:
        while True:
            name = parts.popleft() if parts else "."
            if parts or follow:
                target = _link_target(folder, name)
                if target is not None:
                    links += 1
                    if links > _MAX_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    parts.extendleft(reversed(target.parts))
                    continue
            if not parts:
                yield folder, name
                return
            entered = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
            os.close(folder)
            folder = entered
    finally:
        os.close(folder)


def _link_target(folder: int, name: str) -> Path | None:
    """Return where a link leads that may be followed; None if the name is no link, or missing."""
    try:
        before = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISLNK(before.st_mode):
            return None
        target = os.readlink(name, dir_fd=folder)
        after = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    user = process_user()
    trusted = {_ROOT, user} if user == _ROOT else {_ROOT, user, os.fstat(folder).st_uid}
    # A link cannot be changed, only replaced: the one looked at is the one that was read.
    same = (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)
    if not same or before.st_uid not in trusted:
        raise UnsafeFileError(errno.ELOOP, _FOREIGN_LINK)
    return Path(target)
