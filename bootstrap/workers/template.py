"""The process that workers are forked from: it has loaded all that they need, and does nothing.

The supervisor forks it before it has an event loop or a thread, so that no lock is copied while it
is held, and no descriptor of a loop is shared. Pages that no process writes to are in memory once
for all workers. See ADR 87.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from bootstrap.early_signals import take_early_signals
from bootstrap.environment import forget_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

START, SEND = b"start", b"send"
"""Orders: `start` with the worker's descriptor, and `send PID SIGNAL`."""

STARTED, NOT_STARTED, ENDED = b"started", b"not-started", b"ended"
"""Answers: `started PID` or `not-started ERRNO` to each order to start, `ended PID CODE` later."""

MAX_MESSAGE_BYTES: Final = 64
_STANDARD: Final = 3
"""Descriptors below are standard input, output and error."""


def message(word: bytes, *numbers: int) -> bytes:
    """Write an order or an answer."""
    return b" ".join((word, *(str(number).encode() for number in numbers)))


def fork_template(work: Callable[[int], int]) -> socket.socket:
    """Fork the template, and return the socket to give it orders by.

    It ends when the socket is closed. To be called while there is one thread and no event loop, and
    once all is loaded that workers need.

    Args:
        work: what a worker does, given the descriptor of its socket; returns its exit code.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # No collection will write to what is there now, so that it stays shared.
    gc.collect()
    gc.freeze()
    gc.enable()
    if os.fork():
        theirs.close()
        ours.setblocking(False)  # noqa: FBT003
        return ours
    code = 1
    with suppress(BaseException):
        _leave_the_supervisor(theirs)
        code = Template(theirs, work).run()
    os._exit(code)


def _leave_the_supervisor(control: socket.socket) -> None:
    """Give up its terminal, its descriptors and the credentials in its environment."""
    # Ctrl-C is for the supervisor, which stops its workers in order.
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _close_all_but(control.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    forget_credentials()


class Template:
    """Forks workers as ordered, and tells of their ends."""

    def __init__(self, control: socket.socket, work: Callable[[int], int]) -> None:
        self._control = control
        self._work = work
        self._running: set[int] = set()

    def run(self) -> int:
        """Carry orders out until the supervisor is gone."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)
        while True:
            ready, _, _ = select.select([self._control, woken], [], [])
            if woken in ready:
                woken.recv(4096)
                self._reap()
            if self._control in ready and not self._obey():
                return 0

    def _obey(self) -> bool:
        order, descriptors, _, _ = socket.recv_fds(self._control, MAX_MESSAGE_BYTES, 1)
        match order.split():
            case [b"start"] if descriptors:
                self._start(descriptors[0])
            case [b"send", pid, number]:
                self._send(int(pid), int(number))
            case _:
                return False
        return True

    def _start(self, descriptor: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(NOT_STARTED, error.errno or 0)
        else:
            if pid == 0:
                self._become_worker(descriptor)
            self._running.add(pid)
            self._tell(STARTED, pid)
        finally:
            os.close(descriptor)

    def _become_worker(self, descriptor: int) -> NoReturn:
        code = 1
        with suppress(BaseException):
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            take_early_signals()
            os.setsid()
            _close_all_but(descriptor)
            code = self._work(descriptor)
        # Past what Python does at its end: objects of the template still name closed descriptors.
        os._exit(code)

    def _send(self, pid: int, number: int) -> None:
        # One that has ended is a child still, until it is reaped: its pid is no other process's.
        if pid in self._running:
            os.kill(pid, number)

    def _reap(self) -> None:
        for pid in [*self._running]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._running.discard(pid)
                self._tell(ENDED, pid, os.waitstatus_to_exitcode(status))

    def _tell(self, word: bytes, *numbers: int) -> None:
        # A supervisor that is gone is noticed where its orders are read.
        with suppress(OSError):
            self._control.send(message(word, *numbers))


def _note(*_: object) -> None:
    """Be a handler: only with one does the signal reach the descriptor above."""


def _close_all_but(descriptor: int) -> None:
    for other in map(int, os.listdir("/dev/fd")):  # noqa: PTH208  names of descriptors
        if other >= _STANDARD and other != descriptor:
            with suppress(OSError):  # the one of the list itself is closed by now
                os.close(other)
