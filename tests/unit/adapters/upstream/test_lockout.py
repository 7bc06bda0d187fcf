"""However logins are tried after guard, and by however many, the identity is not locked out."""

from __future__ import annotations

import random

import pytest

from adapters.upstream.lockout import LockoutConfig, LockoutGuard
from tests.fakes.clock import FakeClock
from tests.support.infisical_lockout import LoginLockout

STEP_SECONDS = 0.05
SEEDS = range(12)


class Process:
    """One replica with a wrong client secret, whose token ends at some time."""

    def __init__(self, clock: FakeClock, chance: random.Random, ends_at: float) -> None:
        self.guard = LockoutGuard(LockoutConfig(), clock, chance.random)
        self.ends_at = ends_at
        self.may_change = False


class Identity:
    """What all processes share: the server's count, and word of each other's guard."""

    def __init__(self, seed: int) -> None:
        self.clock = FakeClock()
        self.chance = random.Random(seed)
        self.lockout = LoginLockout(self.clock.monotonic)
        self.processes: list[Process] = []
        self.tries: list[float] = []

    def add(self, ends_after: float) -> Process:
        process = Process(self.clock, self.chance, self.clock.monotonic() + ends_after)
        self.processes.append(process)
        return process

    def tick(self) -> None:
        """Let every process try that wants to and may."""
        now = self.clock.monotonic()
        for process in self.processes:
            if now >= max(process.ends_at, process.guard.retry_at):
                self.tries.append(now)
                self.lockout.fail()
                process.guard.refused(quick=not process.may_change)
                for other in self.processes:
                    if other is not process:
                        other.guard.refused_elsewhere()
        self.clock.advance(STEP_SECONDS)

    def run(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.tick()
            due = min(max(each.ends_at, each.guard.retry_at) for each in self.processes)
            steps = (min(due, end) - self.clock.monotonic()) // STEP_SECONDS
            # Until then nothing happens.
            self.clock.advance(max(0.0, steps * STEP_SECONDS))


def longest_row(times: list[float]) -> int:
    """Count the refusals of which each came within 30 seconds of the one before."""
    longest = row = 0
    before = float("-inf")
    for at in times:
        row = row + 1 if at - before <= 30.0 else 1
        longest, before = max(longest, row), at
    return longest


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 4, 12])
def test_no_number_of_processes_locks_the_identity_out(count: int, seed: int) -> None:
    identity = Identity(seed)
    for _ in range(count):
        # As tokens of replicas end that were started together.
        identity.add(ends_after=identity.chance.uniform(0, 60))

    identity.run(300)

    assert identity.lockout.times_locked == 0
    assert longest_row(identity.tries) <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_three_are_never_refused_within_half_a_minute_whatever_is_asked_for(seed: int) -> None:
    """Credentials that change for wrong ones and operators who press on included."""
    identity = Identity(seed)
    process = identity.add(ends_after=0)
    process.may_change = bool(seed % 2)

    for _ in range(round(300 / STEP_SECONDS)):
        if identity.chance.random() < STEP_SECONDS / 5:
            process.guard.forget()
        identity.tick()

    assert identity.lockout.times_locked == 0
    assert not any(
        later - earlier <= 30.0
        for earlier, later in zip(identity.tries, identity.tries[2:], strict=False)
    )
    assert len(identity.tries) > 10


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_process_notices_soon_that_the_credentials_hold_again(count: int, seed: int) -> None:
    identity = Identity(seed)
    for _ in range(count):
        identity.add(ends_after=identity.chance.uniform(0, 1))
    identity.run(identity.chance.uniform(60, 120))

    now = identity.clock.monotonic()

    assert all(process.guard.retry_at - now <= 38.0 for process in identity.processes)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_process_alone_looks_again_within_six_seconds(seed: int) -> None:
    identity = Identity(seed)
    process = identity.add(ends_after=0)
    identity.tick()

    wait = process.guard.retry_at - identity.tries[0]

    assert 4.0 <= wait <= 6.0


@pytest.mark.parametrize("seed", SEEDS)
def test_credentials_that_change_find_room_to_be_tried_at_any_time(seed: int) -> None:
    identity = Identity(seed)
    process = identity.add(ends_after=0)
    process.may_change = True

    for _ in range(round(200 / STEP_SECONDS)):
        identity.tick()
        now = identity.clock.monotonic()
        before = process.guard.retry_at
        assert before > now - STEP_SECONDS
        assert process.guard._room_at <= now


def test_after_a_lock_tries_leave_room_for_those_who_do_not_tell() -> None:
    clock = FakeClock()
    guard = LockoutGuard(LockoutConfig(), clock, lambda: 0.5)
    guard.refused(quick=True)
    guard.locked()
    assert guard.retry_at - clock.monotonic() == 30.0

    clock.advance(300.0)
    guard.refused(quick=True)

    assert guard.retry_at - clock.monotonic() == 96.0


def test_a_login_that_succeeds_forgets_everything() -> None:
    clock = FakeClock()
    guard = LockoutGuard(LockoutConfig(), clock, lambda: 0.0)
    for _ in range(5):
        guard.refused(quick=True)
        guard.refused_elsewhere()
    guard.locked()

    guard.accepted()

    assert guard.retry_at <= clock.monotonic()
    assert guard.refresh_at <= clock.monotonic()
    guard.refused(quick=True)
    assert guard.retry_at - clock.monotonic() == 4.0


@pytest.mark.parametrize(("threshold", "free"), [(1, 1), (2, 1), (3, 2), (5, 4), (30, 29)])
def test_one_login_less_than_the_threshold_may_be_refused_in_a_row(
    threshold: int, free: int
) -> None:
    clock = FakeClock()
    guard = LockoutGuard(LockoutConfig(threshold=threshold), clock, lambda: 0.0)

    for number in range(1, free + 1):
        guard.refused(quick=False)
        guard.forget()
        has_room = guard.retry_at <= clock.monotonic()
        assert has_room is (number < free)


def test_with_a_threshold_of_one_no_login_is_tried_before_the_lock_is_over() -> None:
    clock = FakeClock()
    guard = LockoutGuard(LockoutConfig(threshold=1, lock_seconds=600), clock, lambda: 0.0)

    guard.refused(quick=True)

    assert guard.retry_at - clock.monotonic() >= 600


def test_the_reset_time_of_the_server_is_waited_for() -> None:
    clock = FakeClock()
    guard = LockoutGuard(LockoutConfig(reset_seconds=3600), clock, lambda: 0.0)
    for _ in range(2):
        guard.refused(quick=False)

    guard.forget()

    assert guard.retry_at - clock.monotonic() >= 3600
