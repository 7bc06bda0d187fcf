"""A change that every process sees is told once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.kubernetes.change_notices import (
    CLAIM_SECONDS,
    LONGEST_WAIT_SECONDS,
    MAX_NAMED,
    ChangeNotices,
)
from adapters.system.lone_process import KnownAnswers
from domain.model.selection import Selection
from ports.transport import ChannelError
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCOPE = (("namespace", "shop"),)


class SlowBus(FakePeerBus):
    """Delivers what is asked only when told to, to all processes in one order, as a server does.

    Attributes:
        on_the_way: what was asked, by all joined buses.
        is_away: questions fail.
    """

    def __init__(self, *peers: SlowBus) -> None:
        super().__init__(*peers)
        self.on_the_way: list[tuple[str, bytes]] = peers[0].on_the_way if peers else []
        self.is_away = False

    @override
    async def ask(self, topic: str, payload: bytes) -> KnownAnswers:
        if self.is_away:
            raise ChannelError("away", reason="disconnected")
        self.on_the_way.append((topic, payload))
        return KnownAnswers(())

    def deliver(self) -> None:
        for topic, payload in self.on_the_way:
            self.receive(topic, payload)
            for other in self._others:
                other.receive(topic, payload)
        self.on_the_way.clear()


class Process:
    """One process of the backend; its jitter always draws `draw`."""

    def __init__(
        self, clock: FakeClock, draw: float, *peers: FakePeerBus, bus: FakePeerBus | None = None
    ) -> None:
        self.told: list[Selection] = []
        self.bus = FakePeerBus(*peers) if bus is None else bus
        self.notices = ChangeNotices(self.told.append, self.bus, clock, lambda: draw)
        self.task = asyncio.create_task(self.notices.run())


@pytest.fixture
async def processes() -> AsyncIterator[tuple[FakeClock, Process, Process]]:
    clock = FakeClock()
    first = Process(clock, 0.2)
    second = Process(clock, 0.8, first.bus)
    await settle()
    yield clock, first, second
    for each in (first, second):
        each.task.cancel()
        await asyncio.gather(each.task, return_exceptions=True)


async def pass_time(clock: FakeClock) -> None:
    for _ in range(10):
        clock.advance(LONGEST_WAIT_SECONDS / 8)
        await settle()


Both = tuple[FakeClock, Process, Process]


async def test_the_first_to_wake_tells_and_the_other_keeps_quiet(processes: Both) -> None:
    clock, first, second = processes
    for each in (first, second):
        each.notices.changed("shop", {"db": "uid/7"})
        await settle()
    await pass_time(clock)

    assert first.told == [Selection.one("/db", SCOPE)]
    assert second.told == []
    assert (first.notices.announced, second.notices.left_to_peers) == (1, 1)


async def test_a_process_that_sees_it_later_keeps_quiet_too(processes: Both) -> None:
    clock, first, second = processes
    first.notices.changed("shop", {"db": "uid/7"})
    await settle()
    await pass_time(clock)
    second.notices.changed("shop", {"db": "uid/7"})
    await pass_time(clock)

    assert (len(first.told), len(second.told)) == (1, 0)


async def test_the_next_change_of_the_same_secret_is_told(processes: Both) -> None:
    clock, first, second = processes
    for change in ("uid/7", "uid/8"):
        for each in (first, second):
            each.notices.changed("shop", {"db": change})
            await settle()
        await pass_time(clock)

    assert len(first.told) + len(second.told) == 2


async def test_what_only_one_process_sees_is_told(processes: Both) -> None:
    clock, _, second = processes
    second.notices.changed("shop", {"db": "uid/7"})
    await settle()
    await pass_time(clock)

    assert second.told == [Selection.one("/db", SCOPE)]


async def test_no_change_waits_longer_than_its_moment(processes: Both) -> None:
    clock, first, _ = processes
    first.notices.changed("shop", {"db": "uid/7"})
    await settle()
    clock.advance(LONGEST_WAIT_SECONDS)
    await settle()

    assert first.told


async def test_many_changes_of_a_namespace_are_told_as_one(processes: Both) -> None:
    clock, first, _ = processes
    first.notices.changed("shop", {f"s{n}": "uid/7" for n in range(MAX_NAMED + 1)})
    first.notices.changed("pay", {"card": "uid/7"})
    await settle()
    await pass_time(clock)

    assert first.told == [
        Selection.everything(SCOPE),
        Selection.one("/card", (("namespace", "pay"),)),
    ]


async def test_messages_to_peers_are_short_and_name_no_secret(processes: Both) -> None:
    clock, first, _ = processes
    first.notices.changed("shop", {f"canary-{n}": "uid/7" for n in range(1000)})
    await settle()
    await pass_time(clock)

    assert first.bus.asked
    assert all(len(payload) <= 4096 for _, payload in first.bus.asked)
    assert all(b"canary" not in payload for _, payload in first.bus.asked)


async def test_a_message_of_another_form_does_no_harm(processes: Both) -> None:
    clock, first, second = processes
    for payload in (b"", b"x", b"\xff" * 4096, b" " * 100):
        first.bus.broadcast("kubernetes_changed", payload)
    second.notices.changed("shop", {"db": "uid/7"})
    await settle()
    await pass_time(clock)

    assert second.told


@pytest.fixture
async def at_once() -> AsyncIterator[tuple[FakeClock, SlowBus, Process, Process]]:
    """Two processes that wake at the same moment, over a bus that takes its time."""
    clock, bus = FakeClock(), SlowBus()
    one = Process(clock, 0.5, bus=bus)
    two = Process(clock, 0.5, bus=SlowBus(bus))
    await settle()
    for each in (one, two):
        each.notices.changed("shop", {"db": "uid/7", "card": "uid/8"})
    await settle()
    clock.advance(LONGEST_WAIT_SECONDS / 2)
    await settle()
    yield clock, bus, one, two
    for each in (one, two):
        each.task.cancel()
        await asyncio.gather(each.task, return_exceptions=True)


AtOnce = tuple[FakeClock, SlowBus, Process, Process]


async def test_of_two_that_wake_at_once_one_tells(at_once: AtOnce) -> None:
    clock, bus, one, two = at_once
    assert len(bus.on_the_way) == 2, "both have claimed before either has heard of the other"
    assert one.told == two.told == []

    clock.advance(CLAIM_SECONDS * 0.9)
    bus.deliver()
    await settle()

    told = [each.told for each in (one, two)]
    assert sorted(map(len, told)) == [0, 2]
    counted = [(each.notices.announced, each.notices.left_to_peers) for each in (one, two)]
    assert sorted(counted) == [(0, 2), (2, 0)]


async def test_a_claim_that_never_comes_back_is_told_all_the_same(at_once: AtOnce) -> None:
    clock, _, one, two = at_once

    clock.advance(CLAIM_SECONDS)
    await settle()

    assert len(one.told) == len(two.told) == 2


async def test_while_the_bus_is_away_each_process_tells_for_itself(at_once: AtOnce) -> None:
    clock, bus, one, _ = at_once
    bus.deliver()
    await settle()
    bus.is_away = True
    before = len(one.told)

    one.notices.changed("shop", {"db": "uid/9"})
    await settle()
    clock.advance(LONGEST_WAIT_SECONDS / 2)
    await settle()

    assert len(one.told) == before + 1
