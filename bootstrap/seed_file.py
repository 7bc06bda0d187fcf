"""A file that holds one seed: read, or made so that nobody ever sees half of it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OWNER_ONLY = 0o600
_MAX_BYTES = 4096
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class SeedFileError(Exception):
    """The file cannot be used; the text says what to do about it and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class SeedText:
    """What the file holds.

    Attributes:
        created: whether it was made just now.
        open_to_others: whether users beside the owner may read it.
    """

    text: str = field(repr=False)
    created: bool = False
    open_to_others: bool = False


def read_or_create_seed(path: Path, generate: Callable[[], str]) -> SeedText:
    """Read the seed; if there is no file, make it with mode 0600 and a generated one.

    Of several replicas that start at once on a shared folder, one makes the file and the others
    read it.

    Raises:
        SeedFileError: it can be neither read nor made.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    seed = generate()
    try:
        write_seed(path, seed)
    except FileExistsError:
        return _read(path)
    return SeedText(seed, created=True)


def read_seed(path: Path) -> SeedText | None:
    """Read the seed; None if there is no such file.

    Raises:
        SeedFileError: it cannot be read.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        return None


def write_seed(path: Path, seed: str) -> None:
    """Write a new file with mode 0600; it appears whole, or not at all.

    Raises:
        FileExistsError: there is one already; it is left as it is.
        SeedFileError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            _write(temporary, seed)
            _link(temporary, path, seed)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        advice = _advice(error, "make")
    else:
        return
    raise SeedFileError(advice)


def _read(path: Path) -> SeedText:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise
    except OSError as error:
        advice = _advice(error, "read")
    else:
        return SeedText(text, open_to_others=bool(stat.S_IMODE(mode) & 0o077))
    raise SeedFileError(advice)


def _write(path: Path, seed: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        # However strict the umask: the next start has to read it.
        os.fchmod(descriptor, _OWNER_ONLY)
        file.write(seed + "\n")
        file.flush()
        os.fsync(file.fileno())


def _link(temporary: Path, path: Path, seed: str) -> None:
    """Give the finished file its name, unless that is taken: a rename would overwrite."""
    try:
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _write(path, seed)


def _advice(error: OSError, verb: str) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "names a file in a folder that does not exist; create the folder or mount it."
    if isinstance(error, PermissionError):
        return f"names a file that this user may not {verb}; change the owner or mode."
    if isinstance(error, IsADirectoryError):
        return "names a folder; name a file in it."
    reason = errno.errorcode.get(error.errno or 0, "an unknown error")
    return f"names a file that cannot be used ({reason}); check the volume."
