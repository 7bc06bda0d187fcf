"""The worker's end of the socket between it and its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from bootstrap.workers.heartbeat import STARTED

if TYPE_CHECKING:
    from collections.abc import Callable


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
