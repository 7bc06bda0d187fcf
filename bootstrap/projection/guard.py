"""The agent's end of its guardian: starts it and renews the lease on what was written."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import structlog

from bootstrap.environment import with_this_package, without_credentials
from bootstrap.projection.guardian import END, READY, RENEW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ports.clock import Clock


_START_SECONDS: Final = 20.0
_END_SECONDS: Final = 5.0

GUARDIAN_ENDED: Final = (
    "The process that wipes the secrets if this one is killed has ended, and another one is "
    "started; see what ended it."
)

_log = structlog.get_logger()

RENEWALS: Final = 6
"""How often within one lease it is renewed."""


class GuardianFailedError(Exception):
    """There is no guardian, and without one nothing is written; the text says why."""


@final
class Guard:
    """One guardian at a time for all directories. `start` and `end` block.

    Args:
        directories: what it wipes.
        lease_seconds: the silence of this process after which it does.
    """

    def __init__(self, directories: Sequence[Path], lease_seconds: float) -> None:
        self._order = {
            "lease_seconds": lease_seconds,
            "directories": [str(path.absolute()) for path in directories],
        }
        # Not asyncio's: that would kill the guardian when this process ends by an exception.
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    @property
    def is_there(self) -> bool:
        """Whether the guardian runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it guards.

        Raises:
            GuardianFailedError: it does not.
        """
        self._drop()
        problem = "it said nothing"
        line, theirs = socket.socketpair()
        line.settimeout(_START_SECONDS)
        try:
            with theirs:
                self._process = _spawn(theirs)
            line.sendall(json.dumps(self._order).encode() + b"\n")
            if line.recv(len(READY)) == READY:
                line.setblocking(False)  # noqa: FBT003  the library's own
                # Only now: a renewal before the order would be taken for it.
                self._line = line
                _log.info("projection.guarded", guardian=self._process.pid, **self._order)
                return
        except OSError as error:
            problem = type(error).__name__
        line.close()
        self._drop()
        raise GuardianFailedError(
            f"The process that wipes secrets after this one does not start ({problem}); see what "
            "it wrote to stderr, and that this user may start another process."
        )

    def renew(self) -> None:
        """Say that this process lives and the secrets are as they should be."""
        self._say(RENEW)

    def end(self) -> None:
        """Let it end without a wipe: there is nothing left."""
        self._say(END)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        self._drop()

    def leave(self) -> None:
        """Let it wipe, at the end of its lease, what no agent has locked by then."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
        self._process = None

    def _say(self, message: bytes) -> None:
        if self._line is not None:
            # A guardian that does not read is taken for one that is gone, by itself.
            with suppress(OSError):
                self._line.send(message)

    def _drop(self) -> None:
        process, self._process = self._process, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()


def _spawn(line: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bootstrap.projection.guardian"],
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        env=with_this_package(without_credentials(os.environ)),
        # What is sent to this process's group, such as Ctrl-C, must not end both.
        start_new_session=True,
    )


@final
class Lease:
    """Renewed with the guardian for as long as the agent's work goes on. `guard`: wipes once
    nothing has renewed the lease for its length.
    """

    def __init__(self, guard: Guard, clock: Clock, seconds: float) -> None:
        self._guard = guard
        self._clock = clock
        self._seconds = seconds
        self._alive_at = self._progressed_at = clock.monotonic()
        self._has_lapsed = False

    @property
    def pause_seconds(self) -> float:
        """The time between two renewals."""
        return self._seconds / RENEWALS

    def progressed(self) -> None:
        """Say that the agent does its work: without that the lease is let lapse."""
        self._progressed_at = self._clock.monotonic()

    def move(self, guard: Guard, seconds: float) -> None:
        """Renew it with another guardian from now on, or for another length."""
        self._guard, self._seconds = guard, seconds
        self._alive_at = self._progressed_at = self._clock.monotonic()

    def begin(self) -> None:
        """Begin to look whether the lease holds, for `held`."""
        self._has_lapsed = False

    @property
    def held(self) -> bool:
        """Whether this process was never frozen for a lease's length since `begin`."""
        silent = self._clock.monotonic() - self._alive_at
        return not self._has_lapsed and silent <= self._seconds

    async def keep(self) -> None:
        """Renew it until cancelled."""
        while True:
            now = self._clock.monotonic()
            self._has_lapsed |= now - self._alive_at > self._seconds
            self._alive_at = now
            if now - self._progressed_at < self._seconds:
                self._guard.renew()
            await self._clock.sleep(self.pause_seconds)
