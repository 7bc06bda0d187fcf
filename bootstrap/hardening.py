"""What the operating system can do so that the process's memory is not written to a disk.

Python copies values and clears none of them, so nothing here helps against a process that can read
this one's memory. This module keeps that memory out of core dumps, out of reach of other processes
of the same user, and, where permitted, out of swap.
"""

from __future__ import annotations

import ctypes
import errno
import resource
import sys
from enum import StrEnum
from typing import NamedTuple

_PR_SET_DUMPABLE = 4
"""`linux/prctl.h`; 0 also keeps other processes of the user from attaching or reading /proc."""

_PR_SET_CHILD_SUBREAPER = 36

_MCL_CURRENT_AND_FUTURE = 1 | 2
"""`MCL_CURRENT | MCL_FUTURE` of `sys/mman.h`, the same on every Linux that Python ships for."""

_NEEDED_BYTES = 256 * 1024 * 1024
"""Room for the service at its fullest: with less lockable, an allocation would fail later on."""


class MemoryLock(StrEnum):
    """Whether memory is kept out of swap, and why not."""

    OFF = "off"
    LOCKED = "locked"
    LIMITED = "limited"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"


_LOCK_RESULTS = {
    0: MemoryLock.LOCKED,
    errno.ENOMEM: MemoryLock.LIMITED,
    errno.ENOSYS: MemoryLock.UNSUPPORTED,
}


class Hardening(NamedTuple):
    """What was achieved; every field may go into a log record.

    Attributes:
        core_dumps_off: the limit for core files is 0. A system that pipes dumps into a program
            ignores the limit; what counts there is `undumpable`.
        undumpable: Linux makes no dump of the process, and only root may trace it.
        memory_lock: "off" was not asked for; "limited" means that RLIMIT_MEMLOCK is too low and
            nothing was locked; "refused" that the system did not permit it.
    """

    core_dumps_off: bool
    undumpable: bool
    memory_lock: MemoryLock

    def fields(self) -> dict[str, bool | str]:
        """Return the fields of a log record."""
        return self._asdict() | {"memory_lock": self.memory_lock.value}


def harden_process(lock_memory: bool) -> Hardening:  # noqa: FBT001  a setting, passed on as it is
    """Turn core dumps off and, if asked, lock memory; never raises.

    Call it first of all, and again once the settings say whether to lock memory. A child process
    inherits the limit, but neither of the others.
    """
    return Hardening(
        core_dumps_off=_core_dumps_off(),
        undumpable=_undumpable(),
        memory_lock=_lock_memory() if lock_memory else MemoryLock.OFF,
    )


def adopts_orphans() -> bool:
    """Have Linux make this process the parent of those below it whose own ends; False if not so."""
    return _call_libc("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def _core_dumps_off() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    except (OSError, ValueError):
        return False


def _undumpable() -> bool:
    return _call_libc("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0) == 0


def _lock_memory() -> MemoryLock:
    if not sys.platform.startswith("linux"):
        return MemoryLock.UNSUPPORTED
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        if hard == resource.RLIM_INFINITY and soft != hard:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
            soft = hard
    except (OSError, ValueError):
        return MemoryLock.REFUSED
    if soft != resource.RLIM_INFINITY and soft < _NEEDED_BYTES:
        return MemoryLock.LIMITED
    failure = _call_libc("mlockall", _MCL_CURRENT_AND_FUTURE)
    return _LOCK_RESULTS.get(failure, MemoryLock.REFUSED)


def _call_libc(name: str, *arguments: int) -> int:
    """Call a function of the C library; return 0, or the error's number."""
    if not sys.platform.startswith("linux"):
        return errno.ENOSYS
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return errno.ENOSYS
    function.restype = ctypes.c_int
    # prctl is variadic and reads unsigned longs: an int would leave half of each undefined.
    failed: int = function(*(ctypes.c_ulong(argument) for argument in arguments))
    return (ctypes.get_errno() or errno.EPERM) if failed else 0
