"""The file that takes refused logins over a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from adapters.upstream.lockout_file import LockoutFile

if TYPE_CHECKING:
    from pathlib import Path


import pytest

from adapters.upstream.lockout import LockoutConfig, LockoutGuard
from tests.fakes.clock import FakeClock
from tests.support.infisical_lockout import LoginLockout


def guard_of(path: Path, clock: FakeClock, identity: str = "a") -> LockoutGuard:
    return LockoutGuard(LockoutConfig(), clock, lambda: 0.0, LockoutFile(path, identity))


def test_refusals_survive_a_restart_so_that_no_supervisor_locks_the_identity(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    path = tmp_path / "refused"
    lockout = LoginLockout(clock.monotonic)
    for _ in range(200):
        guard = guard_of(path, clock)
        if guard.retry_at <= clock.monotonic():
            lockout.fail()
            guard.refused(quick=True)
        clock.advance(3.0)

    assert lockout.times_locked == 0


def test_a_login_that_succeeds_clears_the_file(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "refused"
    guard = guard_of(path, clock)
    guard.refused(quick=False)
    guard.accepted()

    assert guard_of(path, clock).retry_at <= clock.monotonic()


def test_another_identity_is_not_held_back(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "refused"
    guard_of(path, clock).refused(quick=False)

    assert guard_of(path, clock).retry_at > clock.monotonic()
    assert guard_of(path, clock, "b").retry_at <= clock.monotonic()


def test_a_file_from_the_future_holds_back_no_longer_than_one_of_now(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "refused"
    guard_of(path, clock).refused(quick=False)
    clock.jump(-86_400.0)

    assert guard_of(path, clock).retry_at - clock.monotonic() <= 40.0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"identity": "a", "in_a_row": "x", "last": 0}'])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "refused"
    path.write_text(text, "utf-8")

    with pytest.raises(ValueError, match="remove it"):
        guard_of(path, FakeClock())


def test_a_file_that_cannot_be_written_is_logged_and_ends_nothing(tmp_path: Path) -> None:
    guard = guard_of(tmp_path / "no folder" / "refused", FakeClock())

    with capture_logs() as logs:
        guard.refused(quick=False)

    assert [log["event"] for log in logs] == ["lockout.not_saved"]
