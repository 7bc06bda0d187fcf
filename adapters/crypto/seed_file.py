"""A file that holds one seed: read, or created so that no reader ever sees half of it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from adapters.system.files import UnsafeFileError, create_file, read_file
from adapters.system.secret_file import Kind, SecretFileError, secret_in
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_BYTES = 4096


class SeedFileError(Exception):
    """The file cannot be used; the text says what to do about it and holds nothing of it."""


@opaque
class SeedText:
    """What the file holds.

    Attributes:
        created: whether it was made just now.
        open_to_others: whether users beside the owner may read it.
    """

    text: str
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


def place_problem(path: Path) -> str | None:
    """Return why a file could not be made there, as settings say it; None if nothing does."""
    if not path.parent.is_dir():
        return _advice(FileNotFoundError(), "make")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return _advice(PermissionError(), "make")
    return None


def write_seed(path: Path, seed: str) -> None:
    """Write a new file with mode 0600; it appears whole, or not at all.

    Raises:
        FileExistsError: there is one already; it is left as it is.
        SeedFileError: it cannot be written.
    """
    try:
        create_file(path, seed_line(seed))
    except FileExistsError:
        raise
    except OSError as error:
        advice = _advice(error, "make")
    else:
        return
    raise SeedFileError(advice)


def seed_line(seed: str) -> bytes:
    """Return what a seed file holds."""
    return f"{seed}\n".encode("ascii")


def _read(path: Path) -> SeedText:
    try:
        content = read_file(path, _MAX_BYTES)
        text = secret_in(content.data, Kind.SEED)
    except FileNotFoundError:
        raise
    except OSError as error:
        advice = _advice(error, "read")
    except SecretFileError as error:
        advice = f"names a file that {error}"
    else:
        return SeedText(text, open_to_others=content.open_to_others)
    raise SeedFileError(advice)


def _advice(error: OSError, verb: str) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "names a file in a folder that does not exist; create the folder or mount it."
    if isinstance(error, UnsafeFileError):
        return f"names a file that is not used: {error.strerror}."
    if isinstance(error, PermissionError):
        return f"names a file that this user may not {verb}; change the owner or mode."
    reason = errno.errorcode.get(error.errno or 0, "an unknown error")
    return f"names a file that cannot be used ({reason}); check the volume."
