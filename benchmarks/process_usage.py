"""What a process has used, by the kernel's own accounting (Linux, proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12
"""Positions of utime and stime after the command's name in `/proc/<pid>/stat`."""


def cpu_seconds(pid: int) -> float:
    """Return user and system time of all its threads, in steps of 10 ms."""
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_A_SECOND


def resident_bytes(pid: int) -> int:
    """Return how much of its memory lies in RAM now."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)
