"""The socket between a worker and its supervisor: it brings the settings, and signs of life back.

A worker that hangs goes on taking requests and answers none: nats-server goes on sending it a share
of all requests, for minutes if it hangs, until its pings fail as well.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ports.clock import Clock


BEAT: Final = b"."
UNSERVED: Final = b"-"
"""A sign of life of a worker whose hosts would not be answered."""

STARTED: Final = b"!"
"""What a worker sends once, when it takes requests."""

BEAT_SECONDS: Final = 1.0

SILENT_SECONDS: Final = 6.0
"""Shorter than the 10 that hosts wait, so that few requests are lost, and longer than anything
that keeps the event loop of a worker on a busy machine."""

STARTING_SILENT_SECONDS: Final = 60.0
"""Until it takes requests: beside it all the others may be starting, on as few cores."""

_LOOKS: Final = 4
_LATE_SECONDS: Final = 1.0
_READ_BYTES: Final = 4096


async def beat(
    tell: Callable[[bytes], None], clock: Clock, problem: Callable[[], str | None]
) -> None:
    """Give a sign once a second until cancelled; from the event loop, to show that it turns.
    `problem`: returns what keeps requests from arriving; None if nothing does.
    """
    while True:
        tell(BEAT if problem() is None else UNSERVED)
        await clock.sleep(BEAT_SECONDS)


class SignsOfLife:
    """What the supervisor gets from one worker. It has one reader at a time.

    It judges by what it was awake to see: silence is several looks in a row that each found nothing
    and ended on time. Where the supervisor itself was stopped or held up, or the whole machine was,
    the worker may have been as well, and counting begins again. `is_served`: whether hosts would be
    answered, by the latest sign.
    """

    def __init__(self, reader: asyncio.StreamReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._ceased = False
        self.is_served = True

    async def started(self) -> bool:
        """Wait until the worker takes requests; False if it ended or fell silent instead."""
        while signs := await self._next(STARTING_SILENT_SECONDS):
            if STARTED in signs:
                return True
        return False

    async def ceased(self) -> bool:
        """Wait until the worker falls silent; False if it ended instead."""
        while not self._ceased and await self._next(SILENT_SECONDS):
            pass
        return self._ceased

    async def _next(self, seconds: float) -> bytes:
        """Return what comes next; empty if the other end was closed, or after so much silence."""
        missed = 0
        while missed < _LOOKS:
            due = self._clock.monotonic() + seconds / _LOOKS
            try:
                async with self._clock.timeout_at(due):
                    signs = await self._reader.read(_READ_BYTES)
                    self.is_served = not signs.endswith(UNSERVED)
                    return signs
            except TimeoutError:
                on_time = self._clock.monotonic() - due < _LATE_SECONDS
                missed = missed + 1 if on_time else 0
            except ConnectionError:
                return b""
        self._ceased = True
        return b""


class Lifeline:
    """Brings the settings, takes the news that the worker serves, and tells of orphanhood."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX, fileno=descriptor)
        self._socket.set_inheritable(False)

    def receive(self) -> bytes:
        """Return the line that the supervisor sends first; empty if it is gone already."""
        with self._socket.makefile("rb") as lines:
            return lines.readline()

    def close(self) -> None:
        """Give the socket up."""
        self._socket.close()

    def tell_started(self) -> None:
        """Say that requests are taken."""
        try:
            self._socket.sendall(STARTED)
        except OSError:
            # The supervisor is gone; the watching thread ends this process.
            return

    def tell_alive(self, sign: bytes) -> None:
        """Give a sign of life; one that finds no room is not missed."""
        with suppress(OSError):
            self._socket.send(sign, socket.MSG_DONTWAIT)

    def watch(self, stop_seconds: float) -> None:
        """Stop this process as SIGTERM does once the supervisor is gone, whatever ended that.
        `stop_seconds`: the time to stop in; after it the process ends all the same.
        """
        threading.Thread(target=self._watch, args=(stop_seconds,), daemon=True).start()

    def _watch(self, stop_seconds: float) -> None:
        wait_for_end(self._socket.recv)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(stop_seconds)
        os._exit(1)


def wait_for_end(receive: Callable[[int], bytes]) -> None:
    """Return once the other end is closed."""
    try:
        while receive(1024):
            pass
    except OSError:
        return
