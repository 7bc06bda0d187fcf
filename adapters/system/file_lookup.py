"""Looking paths up folder by folder, through no link that another user could have made.

For `adapters.system.files` alone, whose rules these are.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER_ONLY: Final = 0o600

_ROOT = 0
_MAX_LINKS = 40
"""As many as Linux follows in one path."""

_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

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


def process_user() -> int:
    """Return the number of the user that this process acts as."""
    return os.geteuid()


def refuse_foreign_folder(folder: int) -> None:
    """Refuse to change anything as root in a folder that another user owns.

    Raises:
        UnsafeFileError: this is such a folder, and this is root.
    """
    if process_user() == _ROOT and os.fstat(folder).st_uid != _ROOT:
        raise UnsafeFileError(errno.EPERM, _FOREIGN_FOLDER)


def open_regular(folder: int, name: str, flags: int, mode: int = OWNER_ONLY) -> int:
    """Return the descriptor of a regular file in a folder, opened with `os.open`'s flags."""
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
def looked_up(path: Path, *, follow: bool) -> Iterator[tuple[int, str]]:
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
