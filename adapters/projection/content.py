"""What a projected directory holds, under the names of a volume that the kubelet projects.

    ..2026_11_28_10_15_00.1b2c3d4e/   one generation: all files, complete, never changed
    ..data -> ..2026_11_28_…          the generation in force; replaced by one rename
    db-password -> ..data/db-password what consumers open

Nothing else in the directory is touched.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PRIVATE = 0o700

DATA: Final = "..data"
NEXT_DATA: Final = "..data_tmp"

_GENERATION: Final = re.compile(r"\.\.\d{4}(_\d{2}){5}\.[0-9a-f]{8}", re.ASCII)
_LONGEST_BYTES: Final = 255

MEMORY: Final = frozenset({"tmpfs", "ramfs"})

_MOUNTS: Final = Path("/proc/self/mountinfo")
"""proc(5): mount id, parent, MAJOR:MINOR, …, then a lone "-" and the type."""


class UnfitDirectoryError(OSError):
    """The directory is not used as it is; `strerror` says why and what to do."""


@dataclass(frozen=True, slots=True)
class ProjectedContent:
    """One file of a generation.

    Attributes:
        mode: its permission bits.
        owner: the numbers of its user and group, -1 for this process's own.
    """

    name: str
    data: bytes = field(repr=False)
    mode: int
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DirectoryRights:
    """Who may enter the directory and its generations; both belong to this process's user. `group`:
    the number of its group, -1 for this process's own.
    """

    mode: int = PRIVATE
    group: int = -1


def new_generation(now: float) -> str:
    """Return a name for the generation that is made `now` seconds after the epoch."""
    return f"..{time.strftime('%Y_%m_%d_%H_%M_%S', time.gmtime(now))}.{secrets.token_hex(4)}"


def is_generation(name: str) -> bool:
    """Say whether a name is one of a generation."""
    return _GENERATION.fullmatch(name) is not None


def link_to(name: str) -> str:
    """Return where the link of a secret leads."""
    return f"{DATA}/{name}"


def name_problem(name: str) -> str | None:
    """Return why a secret cannot have this name as a file; None if it can."""
    if not name or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES:
        return "a file's name has 1 to 255 bytes"
    if name.startswith("."):
        return "a wasmCloud host passes over files whose names begin with a dot"
    if "/" in name or not name.isprintable():
        return "a file's name holds neither a slash nor a character that does not show"
    return None


def filesystem_of(descriptor: int) -> str | None:
    """Return the type of the file system that an open file or directory lies on.

    None where the system does not tell: on other systems than Linux, and on file systems whose
    files carry another device number than their mount, such as Btrfs.
    """
    device = os.fstat(descriptor).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split(" ")[2:3] == [wanted]:
            return after.split(" ")[0]
    return None
