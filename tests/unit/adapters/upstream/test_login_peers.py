"""Processes of one identity log in one by one, as far as messages reach them, and never for long.

Simulated: messages take 2 ms, a login 63 ms, as was measured of a real server.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.login_peers import (
    FIRST_SPREAD_SECONDS,
    LOGIN_SECONDS,
    NEXT_SPREAD_SECONDS,
    PATIENCE_SECONDS,
    SETTLE_SECONDS,
    TOPIC,
    LoginPeers,
)
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus, LatePeerBus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.peer_bus import PeerBus

MESSAGE_SECONDS, LOGIN_TAKES_SECONDS = 0.002, 0.063
LONGEST_PATIENCE = 2 * PATIENCE_SECONDS + FIRST_SPREAD_SECONDS + NEXT_SPREAD_SECONDS


class Fleet:
    """Processes of one identity before one server.

    Attributes:
        most: how many logins were under way at a time, at most.
        ends: when each login ended, in seconds from the beginning.
    """

    def __init__(self, login_seconds: float = LOGIN_TAKES_SECONDS, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.began = self.clock.monotonic()
        self.login_seconds = login_seconds
        self.random = random.Random(seed)
        self.buses: list[LatePeerBus] = []
        self.running = self.most = 0
        self.started = asyncio.Event()
        self.ends: list[float] = []
        self.listeners: list[asyncio.Task[None]] = []
        self.heard: list[int] = []

    def bus(self) -> LatePeerBus:
        return LatePeerBus(self.clock, MESSAGE_SECONDS, self.buses)

    def process(
        self, bus: PeerBus | None, identity: str = "identity", *, starts_alone: bool = False
    ) -> LoginPeers:
        peers = LoginPeers(bus, identity, self.clock, self.random.random, starts_alone=starts_alone)
        number = len(self.listeners)
        self.listeners.append(asyncio.create_task(peers.listen(lambda: self.heard.append(number))))
        return peers

    async def log_in(self, peers: LoginPeers) -> None:
        async with peers.turn():
            self.running += 1
            self.started.set()
            self.most = max(self.most, self.running)
            await self.clock.sleep(self.login_seconds)
            self.running -= 1
        self.ends.append(self.clock.monotonic() - self.began)

    async def all_log_in(self, processes: list[LoginPeers]) -> None:
        await asyncio.sleep(0)
        await self.clock.run(*[asyncio.create_task(self.log_in(each)) for each in processes])


@asynccontextmanager
async def fleet(login_seconds: float = LOGIN_TAKES_SECONDS, seed: int = 1) -> AsyncIterator[Fleet]:
    built = Fleet(login_seconds, seed)
    yield built
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("processes", [2, 8, 20])
async def test_processes_that_need_a_login_in_the_same_moment_log_in_one_by_one(
    seed: int, processes: int
) -> None:
    async with fleet(seed=seed) as all_of_them:
        await all_of_them.all_log_in(
            [all_of_them.process(all_of_them.bus()) for _ in range(processes)]
        )

    assert all_of_them.most == 1
    assert len(all_of_them.ends) == processes
    # Sooner than a request gives up, which is after 8 seconds.
    assert max(all_of_them.ends) < 7.0


async def test_the_first_login_of_a_process_that_starts_alone_waits_for_messages_alone() -> None:
    async with fleet() as all_of_them:
        process = all_of_them.process(all_of_them.bus(), starts_alone=True)
        await all_of_them.all_log_in([process])
        await all_of_them.all_log_in([process])

    first, second = all_of_them.ends
    assert first == pytest.approx(SETTLE_SECONDS + LOGIN_TAKES_SECONDS)
    assert second > first + SETTLE_SECONDS + LOGIN_TAKES_SECONDS


@pytest.mark.parametrize("seed", range(5))
async def test_processes_that_start_alone_in_the_same_moment_log_in_one_by_one(seed: int) -> None:
    async with fleet(seed=seed) as all_of_them:
        processes = [all_of_them.process(all_of_them.bus(), starts_alone=True) for _ in range(20)]
        await all_of_them.all_log_in(processes)

    assert all_of_them.most == 1
    assert max(all_of_them.ends) < 7.0


async def test_without_a_bus_none_is_waited_for() -> None:
    async with fleet() as all_of_them:
        await all_of_them.all_log_in([all_of_them.process(None) for _ in range(40)])

    assert all_of_them.most == 40
    assert max(all_of_them.ends) == pytest.approx(LOGIN_TAKES_SECONDS)


async def test_where_messages_are_lost_the_spread_alone_keeps_them_apart() -> None:
    async with fleet() as all_of_them:
        processes = [all_of_them.process(all_of_them.bus()) for _ in range(40)]
        for bus in all_of_them.buses:
            bus.lost = True
        await all_of_them.all_log_in(processes)

    assert 8 < all_of_them.most < 30
    longest = FIRST_SPREAD_SECONDS + SETTLE_SECONDS + 2 * LOGIN_TAKES_SECONDS
    assert max(all_of_them.ends) < longest


async def test_a_process_that_ends_amid_its_login_holds_the_others_up_for_two_seconds() -> None:
    async with fleet() as all_of_them:
        dying, other = (all_of_them.process(all_of_them.bus()) for _ in range(2))
        killed = asyncio.create_task(all_of_them.log_in(dying))
        await asyncio.sleep(0)
        all_of_them.login_seconds = 1000.0
        await all_of_them.clock.run(asyncio.create_task(all_of_them.started.wait()))
        all_of_them.buses[0].lost = True
        killed.cancel()
        began = all_of_them.clock.monotonic()
        all_of_them.login_seconds = LOGIN_TAKES_SECONDS
        waiting = asyncio.create_task(all_of_them.log_in(other))
        await all_of_them.clock.run(waiting)

        waited = all_of_them.clock.monotonic() - began
        assert 1.0 < waited < LOGIN_SECONDS + FIRST_SPREAD_SECONDS + NEXT_SPREAD_SECONDS + 0.1


async def test_a_slow_server_makes_no_process_wait_without_end() -> None:
    async with fleet(login_seconds=1.0) as all_of_them:
        await all_of_them.all_log_in([all_of_them.process(all_of_them.bus()) for _ in range(60)])

    assert max(all_of_them.ends) < LONGEST_PATIENCE + 1.0
    # Even then far from all at once.
    assert all_of_them.most < 30


async def test_another_identity_is_no_reason_to_wait() -> None:
    async with fleet(login_seconds=1.0) as all_of_them:
        processes = [all_of_them.process(all_of_them.bus(), f"identity {n}") for n in range(4)]
        await all_of_them.all_log_in(processes)

    assert max(all_of_them.ends) < 1.0 + FIRST_SPREAD_SECONDS + 2 * SETTLE_SECONDS


async def test_a_refused_login_is_heard_by_every_other_process() -> None:
    async with fleet() as all_of_them:
        processes = [all_of_them.process(all_of_them.bus()) for _ in range(3)]
        stranger = all_of_them.process(all_of_them.bus(), "another")
        await asyncio.sleep(0)
        processes[1].refused()
        stranger.refused()
        await all_of_them.clock.run(asyncio.create_task(all_of_them.clock.sleep(1.0)))

    assert sorted(all_of_them.heard) == [0, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "other"},
        {"identity": 7},
        {"origin": 7},
        {"origin": None},
        {"event": "borrowed"},
        {"event": None},
    ],
)
async def test_what_is_no_message_of_a_peer_changes_nothing(change: dict[str, object]) -> None:
    bus, clock = FakePeerBus(), FakeClock()
    peers = LoginPeers(bus, "identity", clock, lambda: 0.0)
    heard: list[int] = []
    listening = asyncio.create_task(peers.listen(lambda: heard.append(1)))
    await asyncio.sleep(0)
    good = {"schema": 1, "identity": peers.digest, "origin": "other", "event": "refused"}
    for payload in (json.dumps({**good, **change}).encode(), b"", b"{", b"[]", b"\xff"):
        assert bus.receive(TOPIC, payload) is None
    assert heard == []

    bus.receive(TOPIC, json.dumps(good).encode())
    listening.cancel()
    assert heard == [1]


async def test_messages_show_no_credential() -> None:
    bus, clock = FakePeerBus(), FakeClock()
    peers = LoginPeers(bus, "https://canary.test canary-client-id", clock, lambda: 0.0)

    async def log_in() -> None:
        async with peers.turn():
            peers.refused()

    await clock.run(asyncio.create_task(log_in()))

    assert [json.loads(payload)["event"] for _, payload in bus.sent] == [
        "begun",
        "refused",
        "ended",
    ]
    assert "canary" not in str(bus.sent)
