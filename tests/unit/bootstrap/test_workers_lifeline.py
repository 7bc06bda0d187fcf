"""What ties a worker to its supervisor, and the exit code of both together."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from bootstrap import hardening
from bootstrap.closing import WorkersEndedError
from bootstrap.hardening import Hardening, MemoryLock, adopts_orphans
from bootstrap.main import main
from bootstrap.server_keys import load_server_keys
from bootstrap.workers import worker
from bootstrap.workers.lifeline import BEAT, STARTED, Lifeline
from tests.support.environments import configuration, infisical_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def supervisor() -> Iterator[tuple[socket.socket, Lifeline]]:
    ours, theirs = socket.socketpair()
    lifeline = Lifeline(theirs.detach())
    yield ours, lifeline
    ours.close()
    lifeline.close()


def test_settings_come_in_and_news_go_out(supervisor: tuple[socket.socket, Lifeline]) -> None:
    ours, lifeline = supervisor
    ours.sendall(b'{"a": 1}\n')

    assert lifeline.receive() == b'{"a": 1}\n'
    lifeline.tell_started()
    lifeline.tell_alive(BEAT)

    assert ours.recv(100) == STARTED + BEAT


def test_signs_of_life_never_wait_for_a_supervisor_that_reads_none(
    supervisor: tuple[socket.socket, Lifeline],
) -> None:
    for _ in range(100_000):
        supervisor[1].tell_alive(BEAT)


def test_the_socket_goes_to_no_process_that_a_worker_would_start(
    supervisor: tuple[socket.socket, Lifeline],
) -> None:
    assert not supervisor[1]._socket.get_inheritable()


def test_news_for_a_supervisor_that_is_gone_are_no_failure(
    supervisor: tuple[socket.socket, Lifeline],
) -> None:
    ours, lifeline = supervisor
    ours.close()

    assert lifeline.receive() == b""
    lifeline.tell_started()
    lifeline.tell_alive(BEAT)


def test_an_orphan_stops_as_by_a_signal_and_by_force_if_that_takes_too_long(
    supervisor: tuple[socket.socket, Lifeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, lifeline = supervisor
    done: list[object] = []
    forced = threading.Event()

    def exit_at_once(code: int) -> None:
        done.append(code)
        forced.set()

    monkeypatch.setattr("os.kill", lambda pid, number: done.append((pid, number)))
    monkeypatch.setattr("os._exit", exit_at_once)

    lifeline.watch(stop_seconds=0)
    assert done == []
    ours.close()

    assert forced.wait(10)
    assert done == [(os.getpid(), signal.SIGTERM), 1]


def test_a_worker_whose_supervisor_is_gone_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' own process stays as it is.
    monkeypatch.setattr(worker, "harden_process", lambda *, lock_memory: None)
    ours, theirs = socket.socketpair()
    ours.close()
    given = configuration(**infisical_environment())

    assert worker.work(theirs.detach(), given, load_server_keys(given.service)) == 0


@pytest.mark.parametrize(("failure", "adopts"), [(0, True), (errno.ENOSYS, False)])
def test_the_kernel_is_asked_for_the_children_of_processes_that_ended(
    monkeypatch: pytest.MonkeyPatch, failure: int, adopts: bool
) -> None:
    calls: list[tuple[object, ...]] = []

    def call(*arguments: object) -> int:
        calls.append(arguments)
        return failure

    monkeypatch.setattr(hardening, "_call_libc", call)

    assert adopts_orphans() is adopts

    pr_set_child_subreaper = 36
    assert calls == [("prctl", pr_set_child_subreaper, 1, 0, 0, 0)]


@pytest.mark.parametrize("code", [0, 1, 2, 137])
def test_the_workers_worst_exit_code_is_the_service_s(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def supervise(*_: object) -> None:
        if code:
            raise WorkersEndedError(code)

    def harden(*_: object, **__: object) -> Hardening:
        return Hardening(core_dumps_off=True, undumpable=True, memory_lock=MemoryLock.OFF)

    monkeypatch.setattr("bootstrap.workers.supervise.supervise", supervise)
    monkeypatch.setattr("bootstrap.main.harden_process", harden)
    for name, value in (infisical_environment() | {"WORKERS": "2"}).items():
        monkeypatch.setenv(name, value)

    assert main([]) == code
