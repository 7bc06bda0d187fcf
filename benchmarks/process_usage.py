"""What a process has used, by the kernel's own accounting (Linux, proc(5))."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PROCESS_CLOCK = 2
"""The kind of clock in the lowest bits of its number: what the scheduler gave a whole process."""

_PARENT = 1
_IDLE = slice(3, 5)
"""Positions of idle and iowait in the first line of `/proc/stat`."""

_GUESTS = slice(8, None)
"""Time of guests, which is in user time already."""


def cpu_seconds(pid: int) -> float:
    """Return user and system time of all its threads, those that have ended included.

    By the process's own clock (clock_getcpuclockid(3)), which counts nanoseconds where
    `/proc/<pid>/stat` counts in steps of 10 ms.

    Raises:
        ProcessLookupError: it has ended.
    """
    try:
        return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)
    except OSError:
        raise ProcessLookupError(pid) from None


def waited_seconds(pid: int) -> float:
    """Return for how long its first thread could have run and got no processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9


def proportional_bytes(pid: int) -> int:
    """Return its memory in RAM, each page divided by how many processes have it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def resident_bytes(pid: int) -> int:
    """Return how much of its memory lies in RAM now."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def descendants(pid: int) -> list[int]:
    """Return the processes below it that still run: workers are children of a child."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            below.setdefault(int(_stat(folder)[_PARENT]), []).append(int(folder.name))
    found, level = [], [pid]
    while level:
        level = [child for parent in level for child in below.get(parent, ())]
        found += level
    return found


def machine_cpu_seconds() -> float:
    """Return what all processes of this machine have used together, and what was stolen from it."""
    ticks = [int(text) for text in Path("/proc/stat").read_text("utf-8").split("\n")[0].split()[1:]]
    return (sum(ticks) - sum(ticks[_IDLE]) - sum(ticks[_GUESTS])) / _TICKS_A_SECOND


def _stat(folder: Path) -> list[str]:
    return (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
