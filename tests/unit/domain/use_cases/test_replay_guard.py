"""The memory of bodies already answered."""

from __future__ import annotations

from domain.model.identity import PublicXKey
from domain.use_cases.replay_guard import ReplayGuard

HOST, OTHER_HOST = PublicXKey("X1"), PublicXKey("X2")


def body(number: int, box: bytes = b"box") -> bytes:
    return b"xkv1" + number.to_bytes(24, "big") + box


def test_a_nonce_counts_once_for_each_host() -> None:
    guard = ReplayGuard(window_seconds=60)

    assert not guard.is_replay(HOST, body(1), now=0)
    assert guard.is_replay(HOST, body(1), now=1)
    assert guard.is_replay(HOST, body(1, b"changed box"), now=1)
    assert not guard.is_replay(HOST, body(2), now=1)
    assert not guard.is_replay(OTHER_HOST, body(1), now=1)


def test_a_body_is_remembered_for_the_whole_window_wherever_it_began() -> None:
    guard = ReplayGuard(window_seconds=60)
    guard.is_replay(HOST, body(0), now=1000)
    guard.is_replay(HOST, body(1), now=1059)

    assert guard.is_replay(HOST, body(1), now=1118)


def test_a_body_is_forgotten_after_two_windows() -> None:
    guard = ReplayGuard(window_seconds=60)
    guard.is_replay(HOST, body(1), now=1000)

    assert not guard.is_replay(HOST, body(1), now=1121)


def test_memory_is_bounded() -> None:
    guard = ReplayGuard(window_seconds=60, max_entries=10)
    for number in range(1000):
        guard.is_replay(HOST, body(number), now=1)

    assert len(guard._young) + len(guard._old) <= 20
    assert guard.is_replay(HOST, body(999), now=1)
