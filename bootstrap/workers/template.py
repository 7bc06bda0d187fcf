"""The process that workers are forked from: it has loaded all that they need, and does nothing.

The supervisor forks it before it has an event loop or a thread, so that no lock is copied while it
is held, and no descriptor of a loop is shared. Pages that no process writes to are in memory once
for all workers. It forks a copy of itself in place of another template that ended or hung, since
the supervisor cannot by then. See ADR 87 and 111.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from bootstrap.early_signals import take_early_signals
from bootstrap.environment import forget_credentials
from bootstrap.workers.lifeline import BEAT, BEAT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

START, COPY, SEND = b"start", b"copy", b"send"
"""Orders: `start` with the worker's descriptor, `copy` with the two of another template, and `send
PID SIGNAL`."""

STARTED, NOT_STARTED, ENDED = b"started", b"not-started", b"ended"
"""Answers: `started PID` or `not-started ERRNO` to the first two, `ended PID CODE` later."""

STOPPED, CONTINUED = b"stopped", b"continued"
"""Told of a worker, with its PID, when a signal stops it and when one lets it go on."""

CHANGES: Final = os.WNOHANG | os.WUNTRACED | os.WCONTINUED
"""What a parent asks `waitpid` for: ends, stops and continuations of its children."""

MAX_MESSAGE_BYTES: Final = 64
_STANDARD: Final = 3
"""Descriptors below are standard input, output and error."""


def message(word: bytes, *numbers: int) -> bytes:
    """Write an order or an answer."""
    return b" ".join((word, *(str(number).encode() for number in numbers)))


class TemplateEnds(NamedTuple):
    """The supervisor's ends of the two sockets that a template has, and the template's process id.

    Attributes:
        orders: takes orders and brings answers, one a packet.
        life: brings a sign of life once a second.
    """

    pid: int
    orders: socket.socket
    life: socket.socket


def template_sockets() -> tuple[tuple[socket.socket, socket.socket], ...]:
    """Return the two ends of a template's sockets: the supervisor's, and the template's."""
    orders, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    life, shown = socket.socketpair()
    for end in (orders, life):
        end.setblocking(False)  # noqa: FBT003
    return (orders, life), (taken, shown)


def fork_template(work: Callable[[int], int]) -> TemplateEnds:
    """Fork a template, and return what the supervisor has of it.

    It ends when its socket for orders is closed. To be called while there is one thread and no
    event loop, and once all is loaded that workers need. `work`: what a worker does, given the
    descriptor of its socket; returns its exit code.
    """
    ours, theirs = template_sockets()
    # No collection will write to what is there now, so that it stays shared.
    gc.collect()
    gc.freeze()
    gc.enable()
    if pid := os.fork():
        for end in theirs:
            end.close()
        return TemplateEnds(pid, *ours)
    with suppress(BaseException):
        _leave_the_supervisor(*theirs)
        template: Template | None = Template(*theirs, work)
        while template is not None:
            template = template.run()
        os._exit(0)
    os._exit(1)


def _leave_the_supervisor(*kept: socket.socket) -> None:
    """Give up its terminal, its descriptors and the credentials in its environment."""
    # Ctrl-C is for the supervisor, which stops its workers in order.
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _close_all_but(*(end.fileno() for end in kept))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    forget_credentials()


class Template:
    """Forks workers as ordered, and tells of their ends."""

    def __init__(
        self, orders: socket.socket, life: socket.socket, work: Callable[[int], int]
    ) -> None:
        self._orders = orders
        self._life = life
        self._work = work
        self._running: set[int] = set()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)  # noqa: FBT003

    def run(self) -> Template | None:
        """Carry orders out until the supervisor is gone; return the copy in a process of a copy."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)
        while True:
            with suppress(OSError):  # a supervisor that was stopped reads none
                self._life.send(BEAT, socket.MSG_DONTWAIT)
            ready, _, _ = select.select([self._orders, self._woken], [], [], BEAT_SECONDS)
            if self._woken in ready:
                self._woken.recv(4096)
                self._reap()
            if self._orders in ready:
                order, descriptors, _, _ = socket.recv_fds(self._orders, MAX_MESSAGE_BYTES, 2)
                match order.split(), descriptors:
                    case [b"start"], [descriptor]:
                        self._start(descriptor)
                    case [b"copy"], [orders, life]:
                        if (copy := self._copy(orders, life)) is not None:
                            return copy
                    case [b"send", pid, number], []:
                        self._send(int(pid), int(number))
                    case _:
                        return None

    def _start(self, descriptor: int) -> None:
        if self._fork(descriptor) == 0:
            self._become_worker(descriptor)

    def _copy(self, orders: int, life: int) -> Template | None:
        if self._fork(orders, life):
            return None
        signal.set_wakeup_fd(-1)
        os.setsid()
        for end in (self._orders, self._life, self._woken, self._wake):
            end.close()
        return Template(socket.socket(fileno=orders), socket.socket(fileno=life), self._work)

    def _fork(self, *descriptors: int) -> int:
        """Fork, tell the supervisor, and return 0 in the new process alone. `descriptors`: the new
        process's, which are closed here.
        """
        pid = -1
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(NOT_STARTED, error.errno or 0)
        else:
            if pid:
                self._running.add(pid)
                self._tell(STARTED, pid)
        finally:
            if pid:
                for descriptor in descriptors:
                    os.close(descriptor)
        return pid

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
            while pid in self._running:
                changed, status = os.waitpid(pid, CHANGES)
                if not changed:
                    break
                if os.WIFSTOPPED(status):
                    self._tell(STOPPED, pid)
                elif os.WIFCONTINUED(status):
                    self._tell(CONTINUED, pid)
                else:
                    self._running.discard(pid)
                    self._tell(ENDED, pid, os.waitstatus_to_exitcode(status))

    def _tell(self, word: bytes, *numbers: int) -> None:
        # A supervisor that is gone is noticed where its orders are read.
        with suppress(OSError):
            self._orders.send(message(word, *numbers))


def _note(*_: object) -> None:
    """Be a handler: only with one does the signal reach the descriptor above."""


def _close_all_but(*kept: int) -> None:
    for other in map(int, os.listdir("/dev/fd")):  # noqa: PTH208  names of descriptors
        if other >= _STANDARD and other not in kept:
            with suppress(OSError):  # the one of the list itself is closed by now
                os.close(other)
