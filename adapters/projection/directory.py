"""One projected directory: generations written whole, one rename between them, and the wipe.

Everything is done to the open descriptor of the directory, so that what is put under its path
meanwhile is never written to. Every function blocks and raises OSError.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self, final

from adapters.projection.content import (
    DATA,
    MEMORY,
    NEXT_DATA,
    PRIVATE,
    DirectoryRights,
    ProjectedContent,
    UnfitDirectoryError,
    filesystem_of,
    is_generation,
    link_to,
    new_generation,
)
from adapters.system.file_lookup import looked_up, process_user, refuse_foreign_folder
from adapters.system.files import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@final
class ProjectedDirectory:
    """A directory, held open; of one process at a time where it is locked."""

    def __init__(self, descriptor: int) -> None:
        self._here = descriptor
        self._rights = DirectoryRights()

    @classmethod
    def make(cls, path: Path, rights: DirectoryRights, *, needs_memory: bool) -> Self:
        """Open the directory, and make its last part if that does not exist.

        Raises:
            UnfitDirectoryError: it belongs to another user, or lies on a disk where memory is
                needed.
            OSError: it cannot be opened, such as for want of the directories above it.
        """
        with looked_up(path, follow=False) as (above, name):
            refuse_foreign_folder(above)
            with suppress(FileExistsError):
                os.mkdir(name, PRIVATE, dir_fd=above)
            opened = cls(os.open(name, _FOLDER, dir_fd=above))
        try:
            opened.prepare(rights, needs_memory=needs_memory)
        except BaseException:
            opened.close()
            raise
        return opened

    @classmethod
    def found(cls, path: Path) -> Self | None:
        """Open the directory only if it exists and is this user's, to wipe it."""
        try:
            with looked_up(path, follow=False) as (above, name):
                opened = cls(os.open(name, _FOLDER, dir_fd=above))
        except FileNotFoundError:
            return None
        if os.fstat(opened._here).st_uid != process_user():
            opened.close()
            raise _foreign()
        return opened

    def prepare(self, rights: DirectoryRights, *, needs_memory: bool) -> None:
        """Give it these rights, and what is written from now on.

        Raises:
            UnfitDirectoryError: as `make`; nothing has changed.
        """
        if os.fstat(self._here).st_uid != process_user():
            raise _foreign()
        kind = filesystem_of(self._here)
        if needs_memory and kind not in MEMORY:
            raise UnfitDirectoryError(
                errno.EINVAL,
                f"it lies on {kind or 'an unknown file system'}, where a power loss leaves secrets "
                "behind; choose a directory on tmpfs, such as one below /run, or write tmpfs: any",
            )
        self._rights = rights
        self._give(self._here)

    def close(self) -> None:
        """Let go of it, and of its lock."""
        os.close(self._here)

    def lock(self) -> bool:
        """Take the directory for this process, as long as it is open; False if another has it."""
        try:
            fcntl.flock(self._here, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, files: Sequence[ProjectedContent], now: float) -> None:
        """Put these files in force, all at once and no others; on an error nothing has changed.

        The generation before stays until `drop_old`: a consumer that has opened it reads on.
        """
        names = [file.name for file in files]
        self._refuse_what_is_in_the_way(names)
        generation = new_generation(now)
        linked: list[str] = []
        try:
            self._fill(generation, files)
            for name in names:
                if self._target(name) is None:
                    os.symlink(link_to(name), name, dir_fd=self._here)
                    linked.append(name)
            self._swap_to(generation)
        except BaseException:
            for name in linked:
                self._unlink(name)
            self._remove_generation(generation)
            raise
        for name in set(self._links()) - set(names):
            self._unlink(name)
        os.fsync(self._here)

    def remove(self, names: Iterable[str]) -> None:
        """Take files away at once, from every generation; needs no room on a full disk."""
        for name in names:
            self._unlink(name)
            for generation in self._generations():
                with self._entered(generation) as folder, suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
        os.fsync(self._here)

    def keep_only(self, names: set[str]) -> None:
        """Take every other file away at once, as `remove` does."""
        self.remove(set(self._links()) - names)

    def drop_old(self) -> None:
        """Remove every generation but the one in force."""
        current = self._target(DATA)
        for generation in self._generations():
            if generation != current:
                self._remove_generation(generation)

    def holds(self, names: Iterable[str]) -> bool:
        """Say whether exactly these files can be opened, as they were put in force."""
        current = self._target(DATA)
        wanted = set(names)
        if current is None:
            return not wanted
        try:
            with self._entered(current) as folder:
                return set(_names(folder)) == wanted == set(self._links())
        except OSError:
            return False

    def wipe(self) -> None:
        """Remove all that `write` makes; foreign files stay, and the directory itself."""
        for name in (*self._links(), DATA, NEXT_DATA):
            self._unlink(name)
        for generation in self._generations():
            self._remove_generation(generation)
        os.fsync(self._here)

    def _give(self, descriptor: int) -> None:
        os.fchown(descriptor, -1, self._rights.group)
        os.fchmod(descriptor, self._rights.mode)

    def _fill(self, generation: str, files: Sequence[ProjectedContent]) -> None:
        os.mkdir(generation, PRIVATE, dir_fd=self._here)
        with self._entered(generation) as folder:
            for file in files:
                Folder(folder).create(file.name, file.data, file.mode, file.owner)
            self._give(folder)
            os.fsync(folder)

    def _swap_to(self, generation: str) -> None:
        self._unlink(NEXT_DATA)
        os.symlink(generation, NEXT_DATA, dir_fd=self._here)
        try:
            os.rename(NEXT_DATA, DATA, src_dir_fd=self._here, dst_dir_fd=self._here)
        except OSError:
            self._unlink(NEXT_DATA)
            raise

    def _refuse_what_is_in_the_way(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=self._here, follow_symlinks=False)
                if not stat.S_ISLNK(status.st_mode) or self._target(name) != link_to(name):
                    raise UnfitDirectoryError(
                        errno.EEXIST, f'"{name}" is there and not of this agent; move it away'
                    )

    def _links(self) -> list[str]:
        return [name for name in _names(self._here) if self._target(name) == link_to(name)]

    def _generations(self) -> list[str]:
        return [name for name in _names(self._here) if is_generation(name)]

    def _target(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self._here)
        except OSError:
            return None

    def _unlink(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._here)

    def _remove_generation(self, generation: str) -> None:
        with suppress(FileNotFoundError):
            with self._entered(generation) as folder:
                for name in _names(folder):
                    os.unlink(name, dir_fd=folder)
            os.rmdir(generation, dir_fd=self._here)

    @contextmanager
    def _entered(self, name: str) -> Iterator[int]:
        descriptor = os.open(name, _FOLDER, dir_fd=self._here)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _names(folder: int) -> list[str]:
    return os.listdir(folder)


def _foreign() -> UnfitDirectoryError:
    return UnfitDirectoryError(
        errno.EPERM, "it belongs to another user; give it to the user that this agent runs as"
    )
