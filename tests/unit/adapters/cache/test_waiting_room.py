"""Whatever comes and goes in whatever order, the room keeps its promises."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.cache.waiting_room import Seat, WaitingRoom
from domain.model.reference import Folder, SecretLocation

DEADLINE = 8.0
FOLDERS = [SecretLocation(f"/{name}/KEY").folder for name in "abcde"]
folders = st.sampled_from(FOLDERS)


class WaitingMachine(RuleBasedStateMachine):
    """Holds the room against a plain list of seats, looked through from end to end each time."""

    @initialize(places=st.integers(1, 9))
    def open_the_room(self, places: int) -> None:
        self.places = places
        self.room = WaitingRoom(places)
        self.seated: list[tuple[Folder, Seat]] = []
        self.left: list[Seat] = []

    def count(self, folder: Folder) -> int:
        return self.counts()[folder]

    def counts(self) -> Counter[Folder]:
        return Counter(folder for folder, _ in self.seated)

    def most(self) -> int:
        return max(self.counts().values(), default=0)

    @rule(folder=folders)
    def somebody_comes(self, folder: Folder) -> None:
        was_full = len(self.seated) == self.places
        own, most = self.count(folder), self.most()
        seat = self.room.enter(folder, DEADLINE)

        gone = [(place, other) for place, other in self.seated if other.given_up]
        if seat is None:
            assert was_full
            assert most <= own + 1
            assert not gone
            return
        if was_full:
            ((loser, given_up),) = gone
            assert self.count(loser) == most >= own + 2
            assert [other for place, other in self.seated if place == loser][-1] is given_up
            self.seated.remove((loser, given_up))
            self.left.append(given_up)
        else:
            assert not gone
        self.seated.append((folder, seat))

    @precondition(lambda self: self.seated)
    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.seated) - 1))
        _, seat = self.seated.pop(number)
        self.room.leave(seat)
        self.left.append(seat)

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def somebody_leaves_again(self, data: st.DataObject) -> None:
        self.room.leave(data.draw(st.sampled_from(self.left)))

    @invariant()
    def the_room_knows_who_is_there(self) -> None:
        assert self.room.taken == len(self.seated) <= self.places
        assert {folder: len(line.seats) for folder, line in self.room._lines.items()} == (
            self.counts()
        )
        assert self.room._longest == self.most()


TestWaitingMachine = WaitingMachine.TestCase
TestWaitingMachine.settings = settings(max_examples=150, stateful_step_count=50)


@given(
    places=st.integers(1, 40),
    arrivals=st.lists(folders, max_size=200),
)
def test_each_folder_gets_its_share_whatever_the_others_want(
    places: int, arrivals: list[Folder]
) -> None:
    room = WaitingRoom(places)
    waiting: dict[Folder, list[Seat]] = {folder: [] for folder in FOLDERS}
    for folder in arrivals:
        seat = room.enter(folder, DEADLINE)
        if seat is not None:
            waiting[folder].append(seat)

    wanted = Counter(arrivals)
    for folder, count in wanted.items():
        kept = [seat for seat in waiting[folder] if not seat.given_up]
        assert len(kept) >= min(count, places // len(wanted))
    assert room.taken == min(places, len(arrivals))


@pytest.mark.parametrize("places", [2, 3, 37, 6144])
@pytest.mark.parametrize("hanging", [1, 2, 5])
def test_however_many_folders_hang_another_one_finds_a_place(places: int, hanging: int) -> None:
    hanging = min(hanging, places - 1)
    room = WaitingRoom(places)
    for number in range(2 * places):
        room.enter(((), f"/hanging/{number % hanging}"), DEADLINE)

    assert room.taken == places
    assert room.enter(((), "/other"), DEADLINE) is not None
    assert room.taken == places


def test_one_folder_may_have_all_places_while_nobody_else_wants_any() -> None:
    room = WaitingRoom(100)

    seats = [room.enter(FOLDERS[0], DEADLINE) for _ in range(150)]

    assert [seat is None for seat in seats] == [False] * 100 + [True] * 50
    assert (room.taken, room.places) == (100, 100)


def test_the_same_path_in_another_environment_is_another_folder() -> None:
    room = WaitingRoom(2)
    for _ in range(3):
        room.enter(SecretLocation("/a/KEY", (("environment", "prod"),)).folder, DEADLINE)

    assert room.enter(SecretLocation("/a/KEY", (("environment", "dev"),)).folder, DEADLINE)


@pytest.mark.parametrize(
    ("now", "told"), [(0.0, "in 8 seconds"), (7.9, "in 1 second"), (9.0, "in 1 second")]
)
def test_a_refusal_says_when_the_first_one_of_the_folder_has_left(now: float, told: str) -> None:
    room = WaitingRoom(3)
    for deadline in (8.0, 60.0):
        room.enter(FOLDERS[0], deadline)
    room.enter(FOLDERS[1], 30.0)

    error = room.refusal(FOLDERS[0], now).error()

    assert told in error.advice
    assert error.reason == "too_many_waiting"
    assert "in 30 seconds" in room.refusal(FOLDERS[1], 0.0).advice


def test_a_folder_with_nobody_waiting_hears_of_the_longest_line() -> None:
    room = WaitingRoom(1)
    assert "in 1 second" in room.refusal(FOLDERS[1], 0.0).advice
    room.enter(FOLDERS[0], 5.0)

    assert room.enter(FOLDERS[1], 5.0) is None
    assert "in 5 seconds" in room.refusal(FOLDERS[1], 0.0).advice


async def test_whoever_gives_way_is_woken() -> None:
    room = WaitingRoom(2)
    first, last = (room.enter(FOLDERS[0], DEADLINE) for _ in range(2))
    assert first is not None
    assert last is not None
    last.turn = asyncio.get_running_loop().create_future()

    room.enter(FOLDERS[1], DEADLINE)
    last.call()

    assert last.turn.done()
    assert (first.given_up, last.given_up) == (False, True)


def test_a_room_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        WaitingRoom(0)
