"""What is known of each folder, and for how long."""

from __future__ import annotations

import pytest

from adapters.infisical.pace import FEW, FORGIVEN_SECONDS, UNKNOWN
from adapters.infisical.paces import FORGET_SECONDS, MAX_IDLE, Paces


def read(paces: Paces, folder: str, seconds: float, *, at: float = 0.0, number: int = 1) -> None:
    """Let so many reads begin and end together."""
    for reader in range(number):
        paces.begin((folder, reader), folder, at)
    for reader in range(number):
        paces.end((folder, reader), at + seconds, over=True)


def known() -> Paces:
    """One slow folder and one quick one, both beyond their first reads."""
    paces = Paces(share=10, places=19)
    for folder, seconds in (("slow", 3.0), ("quick", 0.1)):
        read(paces, folder, seconds)
        read(paces, folder, seconds, at=10.0, number=19)
    return paces


def test_each_folder_has_a_pace_of_its_own() -> None:
    paces = known()

    assert paces.estimate("slow", 20.0).seconds == pytest.approx(3.0)
    assert paces.estimate("quick", 20.0).seconds == pytest.approx(0.1)
    assert paces.estimate("other", 20.0) == UNKNOWN
    assert paces.estimate_of_all(20.0).seconds == pytest.approx(0.1)


def test_only_the_first_reads_of_a_folder_are_forgiven_a_second() -> None:
    paces = Paces(share=10, places=19)
    read(paces, "a", 3.0, number=FEW)
    assert paces.estimate("a", 5.0).seconds == pytest.approx(3.0 - FORGIVEN_SECONDS)

    read(paces, "a", 3.0, at=5.0, number=FEW)
    assert paces.estimate("a", 10.0).seconds == pytest.approx(3.0)


def test_the_reads_under_way_are_named_with_their_folders() -> None:
    paces = known()
    paces.begin("one", "slow", 20.0)
    paces.begin("two", "other", 21.0)
    paces.end("one", 22.0, over=False)

    assert list(paces.under_way()) == [("other", 21.0)]


def test_time_in_which_this_process_was_behind_does_not_count() -> None:
    paces = known()
    for reader in range(10):
        paces.begin(reader, "quick", 20.0)
    paces.was_behind(1.5)

    assert paces.estimate("quick", 22.0).seconds == pytest.approx(0.1)
    assert paces.estimate("quick", 60.0).seconds > 10.0


def test_a_folder_is_forgotten_some_time_after_its_last_read() -> None:
    paces = known()
    paces.begin("hanging", "hanging", 20.0)
    read(paces, "other", 0.1, at=20.0 + FORGET_SECONDS)

    assert len(paces) == 2
    assert paces.estimate("slow", 100.0) == UNKNOWN
    assert paces.estimate("hanging", 100.0).hangs


def test_no_more_than_so_many_folders_are_remembered() -> None:
    paces = Paces(share=10, places=19)
    for number in range(3 * MAX_IDLE):
        read(paces, f"folder {number}", 2.0)

    assert len(paces) == MAX_IDLE
    assert paces.of("folder 0") is None
    assert paces.of(f"folder {3 * MAX_IDLE - 1}") is not None
