"""The files of a rotation: FILE announced, FILE.next and FILE.retired opened beside it.

A replica that starts reads FILE.next, then FILE, then FILE.retired. The swap first copies FILE to
FILE.retired and then moves FILE.next to FILE. However the two interleave, the replica knows both
keys.
"""

from __future__ import annotations

import os
import stat
from enum import Enum
from typing import TYPE_CHECKING

from adapters.crypto.seed_file import SeedFileError, read_seed, seed_line
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.files import Folder, UnsafeFileError
from domain.model.errors import InvalidXKey
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Step(Enum):
    """What a rotation needs next."""

    PREPARE = "make the new key"
    ANNOUNCE = "announce the new key"
    FINISH = "forget the old key"


def next_of(path: Path) -> Path:
    """Return the file of the key that is to be announced."""
    return path.with_name(path.name + ".next")


def retired_of(path: Path) -> Path:
    """Return the file of the key that was announced before."""
    return path.with_name(path.name + ".retired")


@opaque
class Rotation:
    """How far the rotation of one seed file has come.

    Attributes:
        coming: the key of FILE.next.
        retired: the key of FILE.retired.
    """

    path: Path
    current: SodiumXKeyPair
    coming: SodiumXKeyPair | None
    retired: SodiumXKeyPair | None

    @classmethod
    def read(cls, path: Path) -> Rotation:
        """Look at the files.

        Raises:
            SeedFileError: one of them cannot be used, or FILE is missing.
        """
        current = _pair(path)
        if current is None:
            raise SeedFileError(
                f"There is no file {path}. The service makes it when it first starts; rotate the "
                "key where that file is."
            )
        return cls(path, current, _pair(next_of(path)), _pair(retired_of(path)))

    @property
    def step(self) -> Step:
        """What is to be done next.

        Raises:
            SeedFileError: the rotation before this one has not ended.
        """
        if self.coming is None:
            return Step.PREPARE if self.retired is None else Step.FINISH
        if self.retired is not None and self.retired.public != self.current.public:
            raise SeedFileError(
                f"{retired_of(self.path)} is still there from another rotation. Remove it once no "
                "host uses that key, restart the replicas, and go on then."
            )
        return Step.ANNOUNCE

    def prepare(self) -> SodiumXKeyPair:
        """Make FILE.next for those who may read FILE, and return its key.

        Raises:
            SeedFileError: it cannot be written.
        """
        pair = SodiumXKeyPair.generate()
        _change(self.path, lambda folder: self._write_beside(folder, next_of, pair))
        return pair

    def announce(self) -> None:
        """Swap the files; done in part, it goes on where it was.

        Raises:
            SeedFileError: they cannot be written.
        """

        def swap(folder: Folder) -> None:
            if self.retired is None:
                self._write_beside(folder, retired_of, self.current)
            folder.replace(self.path.name, next_of(self.path).name)

        _change(self.path, swap)

    def finish(self) -> None:
        """Remove FILE.retired.

        Raises:
            SeedFileError: it cannot be removed.
        """
        _change(self.path, lambda folder: folder.remove(retired_of(self.path).name))

    def _write_beside(
        self, folder: Folder, name_of: Callable[[Path], Path], pair: SodiumXKeyPair
    ) -> None:
        """Write a new file with FILE's owner and mode: the service must be able to read it."""
        model = folder.open(self.path.name, os.O_RDONLY)
        try:
            wanted = os.fstat(model)
        finally:
            os.close(model)
        folder.create(
            name_of(self.path).name,
            seed_line(pair.seed_text()),
            stat.S_IMODE(wanted.st_mode) & 0o777,
            (wanted.st_uid, wanted.st_gid),
        )


def _pair(path: Path) -> SodiumXKeyPair | None:
    found = read_seed(path)
    if found is None:
        return None
    try:
        return SodiumXKeyPair.from_seed(found.text)
    except InvalidXKey:
        pass
    raise SeedFileError(f"{path} holds no xkey seed; it must hold the 58 characters SX….")


def _change(path: Path, change: Callable[[Folder], None]) -> None:
    """Change the files beside `path`, in its folder, held open."""
    try:
        with Folder.of(path) as folder:
            change(folder)
    except FileExistsError:
        advice = f"A file beside {path} was made by another process just now; run this again."
    except UnsafeFileError as error:
        advice = f"{path} is not changed: {error.strerror}."
    except OSError:
        advice = (
            "The seed files cannot be changed. Run this as their owner, in a folder it may write "
            "to."
        )
    else:
        return
    raise SeedFileError(advice)
