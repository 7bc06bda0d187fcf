"""Which kind of file system a directory lies on: secrets belong on one that is memory alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MEMORY: Final = frozenset({"tmpfs", "ramfs"})

_MOUNTS: Final = Path("/proc/self/mountinfo")
"""proc(5): mount id, parent, MAJOR:MINOR, …, then a lone "-" and the type."""


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
