"""The guardian of projected directories: it outlives the agent and wipes what the agent left.

The agent renews a lease by a line every few seconds. When none has come for the lease's length,
because the agent was killed or hangs, all files go. A new agent that has taken a directory's lock
meanwhile keeps that directory. SIGTERM wipes at once; the line "end" says that there is nothing
left to wipe. It holds no secret, reads no setting and hears nothing but the socket to the agent,
which is its standard input.

    {"lease_seconds": 30.0, "directories": ["/run/wasmcloud-secrets/payments"]}
    renew
    …
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.projection.directory import ProjectedDirectory

if TYPE_CHECKING:
    from types import FrameType

READY: Final = b"guarding\n"
RENEW: Final = b"renew\n"
END: Final = b"end\n"

_CHUNK: Final = 65536
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A lease runs on while the machine sleeps."""

_LONGEST_WAIT: Final = 1.0
"""A wait does not run on while the machine sleeps, so that the clock is read after each."""

_LOCK_TRIES: Final = 20
_LOCK_PAUSE: Final = 0.1


def main() -> int:
    """Guard until the lease or the agent ends; 0 if nothing is left behind, otherwise 1."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    order, received = _order()
    directories = [Path(path) for path in order.directories]
    lease = _Lease(order.lease_seconds, received)

    def wipe_at_once(_number: int, _frame: FrameType | None) -> None:
        os._exit(_wipe(directories, only_unlocked=lease.orphaned))

    signal.signal(signal.SIGTERM, wipe_at_once)
    os.write(0, READY)
    if lease.wait():
        return 0
    # An agent that hangs has the lock all the same; of one that is gone another may have it.
    return _wipe(directories, only_unlocked=lease.orphaned)


@dataclass(frozen=True, slots=True)
class _Order:
    lease_seconds: float
    directories: list[str]


def _order() -> tuple[_Order, bytes]:
    received = b""
    while b"\n" not in received:
        chunk = os.read(0, _CHUNK)
        if not chunk:
            raise SystemExit(2)
        received += chunk
    line, _, rest = received.partition(b"\n")
    return _Order(**json.loads(line)), rest


class _Lease:
    """The time for which the agent's last line is worth something. `orphaned`: whether the agent is
    gone.
    """

    def __init__(self, seconds: float, received: bytes) -> None:
        self._seconds = seconds
        self._received = received
        self._ends = _now() + seconds
        self.orphaned = False

    def wait(self) -> bool:
        """Wait for the lease's end; return whether the agent said that nothing is left."""
        with selectors.DefaultSelector() as line:
            line.register(0, selectors.EVENT_READ)
            while (left := self._ends - _now()) > 0:
                if self.orphaned:
                    time.sleep(min(left, _LONGEST_WAIT))
                elif line.select(min(left, _LONGEST_WAIT)):
                    self._read()
                *lines, self._received = self._received.split(b"\n")
                if END.strip() in lines:
                    return True
                if RENEW.strip() in lines:
                    self._ends = _now() + self._seconds
        return False

    def _read(self) -> None:
        chunk = b""
        with suppress(OSError):
            chunk = os.read(0, _CHUNK)
        self.orphaned = not chunk
        self._received += chunk


def _wipe(directories: list[Path], *, only_unlocked: bool) -> int:
    failed = 0
    for path in directories:
        try:
            found = ProjectedDirectory.found(path)
            if found is None:
                continue
            if not only_unlocked or _locked(found):
                found.wipe()
            found.close()
        except OSError as error:
            failed = 1
            name = type(error).__name__
            sys.stderr.write(f"The guardian could not wipe {path} ({name}: {error.strerror}).\n")
    return failed


def _locked(found: ProjectedDirectory) -> bool:
    """Take the lock, which a dying agent may hold for a moment longer."""
    for _ in range(_LOCK_TRIES):
        if found.lock():
            return True
        time.sleep(_LOCK_PAUSE)
    return False


def _now() -> float:
    return time.clock_gettime(_CLOCK)


if __name__ == "__main__":
    sys.exit(main())
