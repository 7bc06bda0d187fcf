"""Requests come and go in any order, and the bounds and shares hold."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.cache.fair_admission import FairAdmission, Ticket
from domain.model.reference import Folder, SecretLocation

DEADLINE = 8.0
FOLDERS = [SecretLocation(f"/{name}/KEY").folder for name in "abcde"]
folders = st.sampled_from(FOLDERS)


class WaitingMachine(RuleBasedStateMachine):
    """Compares the admission with a plain list of tickets, searched from end to end each time."""

    @initialize(places=st.integers(1, 9))
    def begin(self, places: int) -> None:
        self.places = places
        self.admission = FairAdmission(places)
        self.waiting: list[tuple[Folder, Ticket]] = []
        self.left: list[Ticket] = []

    def count(self, folder: Folder) -> int:
        return self.counts()[folder]

    def counts(self) -> Counter[Folder]:
        return Counter(folder for folder, _ in self.waiting)

    def most(self) -> int:
        return max(self.counts().values(), default=0)

    @rule(folder=folders)
    def a_request_comes(self, folder: Folder) -> None:
        was_full = len(self.waiting) == self.places
        own, most = self.count(folder), self.most()
        ticket = self.admission.enter(folder, DEADLINE)

        gone = [(place, other) for place, other in self.waiting if other.revoked]
        if ticket is None:
            assert was_full
            assert most <= own + 1
            assert not gone
            return
        if was_full:
            ((loser, given_up),) = gone
            assert self.count(loser) == most >= own + 2
            assert [other for place, other in self.waiting if place == loser][-1] is given_up
            self.waiting.remove((loser, given_up))
            self.left.append(given_up)
        else:
            assert not gone
        self.waiting.append((folder, ticket))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def a_request_leaves(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.waiting) - 1))
        _, ticket = self.waiting.pop(number)
        self.admission.leave(ticket)
        self.left.append(ticket)

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def a_ticket_is_returned_again(self, data: st.DataObject) -> None:
        self.admission.leave(data.draw(st.sampled_from(self.left)))

    @invariant()
    def the_counts_hold(self) -> None:
        assert self.admission.waiting == len(self.waiting) <= self.places
        assert {folder: len(queue.tickets) for folder, queue in self.admission._queues.items()} == (
            self.counts()
        )
        assert self.admission._longest == self.most()


TestWaitingMachine = WaitingMachine.TestCase
TestWaitingMachine.settings = settings(max_examples=40, stateful_step_count=50)


@given(
    places=st.integers(1, 40),
    arrivals=st.lists(folders, max_size=200),
)
def test_each_folder_gets_its_share_whatever_the_others_want(
    places: int, arrivals: list[Folder]
) -> None:
    admission = FairAdmission(places)
    waiting: dict[Folder, list[Ticket]] = {folder: [] for folder in FOLDERS}
    for folder in arrivals:
        ticket = admission.enter(folder, DEADLINE)
        if ticket is not None:
            waiting[folder].append(ticket)

    wanted = Counter(arrivals)
    for folder, count in wanted.items():
        kept = [ticket for ticket in waiting[folder] if not ticket.revoked]
        assert len(kept) >= min(count, places // len(wanted))
    assert admission.waiting == min(places, len(arrivals))


@pytest.mark.parametrize("places", [2, 3, 37, 6144])
@pytest.mark.parametrize("hanging", [1, 2, 5])
def test_however_many_folders_hang_another_one_gets_a_ticket(places: int, hanging: int) -> None:
    hanging = min(hanging, places - 1)
    admission = FairAdmission(places)
    for number in range(2 * places):
        admission.enter(((), f"/hanging/{number % hanging}"), DEADLINE)

    assert admission.waiting == places
    assert admission.enter(((), "/other"), DEADLINE) is not None
    assert admission.waiting == places


def test_one_folder_may_have_all_tickets_while_no_other_wants_any() -> None:
    admission = FairAdmission(100)

    tickets = [admission.enter(FOLDERS[0], DEADLINE) for _ in range(150)]

    assert [ticket is None for ticket in tickets] == [False] * 100 + [True] * 50
    assert (admission.waiting, admission.limit) == (100, 100)


def test_the_same_path_in_another_environment_is_another_folder() -> None:
    admission = FairAdmission(2)
    for _ in range(3):
        admission.enter(SecretLocation("/a/KEY", (("environment", "prod"),)).folder, DEADLINE)

    assert admission.enter(SecretLocation("/a/KEY", (("environment", "dev"),)).folder, DEADLINE)


@pytest.mark.parametrize(
    ("now", "told"), [(0.0, "in 8 seconds"), (7.9, "in 1 second"), (9.0, "in 1 second")]
)
def test_a_refusal_says_when_the_first_one_of_the_folder_has_left(now: float, told: str) -> None:
    admission = FairAdmission(3)
    for deadline in (8.0, 60.0):
        admission.enter(FOLDERS[0], deadline)
    admission.enter(FOLDERS[1], 30.0)

    error = admission.refusal(FOLDERS[0], now)

    assert told in error.advice
    assert error.reason == "too_many_waiting"
    assert "in 30 seconds" in admission.refusal(FOLDERS[1], 0.0).advice


def test_a_folder_without_a_waiting_request_hears_of_the_longest_queue() -> None:
    admission = FairAdmission(1)
    assert "in 1 second" in admission.refusal(FOLDERS[1], 0.0).advice
    admission.enter(FOLDERS[0], 5.0)

    assert admission.enter(FOLDERS[1], 5.0) is None
    assert "in 5 seconds" in admission.refusal(FOLDERS[1], 0.0).advice


async def test_a_revoked_request_is_woken() -> None:
    admission = FairAdmission(2)
    first, last = (admission.enter(FOLDERS[0], DEADLINE) for _ in range(2))
    assert first is not None
    assert last is not None
    last.woken = asyncio.get_running_loop().create_future()

    admission.enter(FOLDERS[1], DEADLINE)
    last.wake()

    assert last.woken.done()
    assert (first.revoked, last.revoked) == (False, True)
