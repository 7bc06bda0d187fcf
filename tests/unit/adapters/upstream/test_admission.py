"""Requests are admitted within the limits, in order, or refused at once if they would be late."""

from __future__ import annotations

import asyncio

import pytest

from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import RateLimited, StoreBusy
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import Rig, outcomes
from tests.unit.adapters.upstream.counting_server import CountingServer
from tests.unit.adapters.upstream.http_rig import answer


@pytest.mark.parametrize("status", [500, 429])
async def test_of_a_rush_the_limit_is_served_and_the_rest_refused_at_once(status: int) -> None:
    rig = Rig(slots=19, server=CountingServer(40, status))

    answered, refusals = await outcomes([rig.read(f"K{n}") for n in range(200)])

    assert (answered, len(refusals), len(rig.sent)) == (40, 160, 40)
    assert {refusal.reason for refusal in refusals} == {"store_rate_limited"}
    assert refusals[0].advice == (
        "Store limits the rate of calls; try again in 60 seconds, or raise its limits."
    )
    assert rig.gate.state().refused == 160
    await rig.gate.aclose()


async def test_the_operators_limit_holds_where_the_server_names_none() -> None:
    rig = Rig(own=10)

    answered, refusals = await outcomes([rig.read(f"K{n}") for n in range(30)])
    rig.clock.advance(50.0)
    waiting = rig.read("K10", seconds=12.0)
    await settle()

    assert (answered, len(refusals), len(rig.sent)) == (10, 20, 10)
    assert refusals[0].advice == (
        "STORE_MAX_REQUESTS_PER_MINUTE limits the rate of calls; try again in 60 seconds, or "
        "raise it."
    )
    assert not waiting.done()
    rig.clock.advance(10.0)
    await waiting
    await rig.gate.aclose()


async def test_requests_with_time_wait_for_the_next_window_in_order_of_arrival() -> None:
    rig = Rig(slots=1, server=CountingServer(3))
    await asyncio.gather(*(rig.read(f"OLD{n}") for n in range(3)))
    rig.clock.advance(55.0)

    waiting = [rig.read(f"NEW{n}") for n in range(4)]
    await settle()
    assert len(rig.sent) == 3
    with pytest.raises(RateLimited, match="try again in 66 seconds"):
        await waiting[3]
    rig.clock.advance(5.0)

    await asyncio.gather(*waiting[:3])
    assert rig.sent[3:] == ["/NEW0", "/NEW1", "/NEW2"]
    assert rig.server is not None
    assert rig.server.over == 0
    await rig.gate.aclose()


async def test_a_folder_that_hangs_leaves_places_for_others() -> None:
    rig = Rig(slots=8)
    rig.hang.clear()
    slow = [rig.read(f"K{n}", folder="/slow") for n in range(100)]
    also_slow = [rig.read(f"K{n}", folder="/also") for n in range(100)]
    await settle()
    assert rig.gate.state().in_flight == 6
    rig.hang.set()
    quick = rig.read("K", folder="/quick")
    rig.hang.clear()
    await settle()

    assert "/quick/K" in rig.sent
    rig.hang.set()
    await asyncio.gather(quick, *slow, *also_slow)


async def test_a_request_that_found_no_slot_in_time_says_so_and_leaves_the_queue() -> None:
    rig = Rig(slots=1)
    rig.hang.clear()
    slow = rig.read("SLOW", seconds=60.0)
    await settle()
    late = rig.read("LATE", seconds=2.0)
    await settle()
    rig.clock.advance(2.0)

    with pytest.raises(RateLimited, match=r"too slow .* in 10 seconds") as refusal:
        await late

    assert isinstance(refusal.value, StoreBusy)
    assert rig.gate.state().waiting == 0
    rig.hang.set()
    await slow
    assert rig.sent == ["/SLOW"]


async def test_a_cancelled_waiter_gives_its_place_in_the_queue_back() -> None:
    rig = Rig(slots=1, server=CountingServer(2))
    rig.hang.clear()
    first = rig.read("FIRST")
    await settle()
    second, third = rig.read("SECOND"), rig.read("THIRD")
    await settle()
    second.cancel()
    await settle()
    rig.hang.set()

    await asyncio.gather(first, third)
    assert rig.sent == ["/FIRST", "/THIRD"]
    await rig.gate.aclose()


async def test_a_request_cancelled_just_after_admission_gives_the_slot_back() -> None:
    rig = Rig(slots=1, own=2)
    rig.hang.clear()
    first = rig.read("FIRST")
    await settle()
    second = rig.read("SECOND")
    await settle()
    rig.hang.set()
    for _ in range(50):
        await asyncio.sleep(0)
        if not rig.gate.state().waiting:
            break
    second.cancel()
    await settle()

    assert second.cancelled()
    assert rig.sent == ["/FIRST"]
    assert (rig.gate.state().in_flight, rig.gate.state().capacity) == (0, 1)
    await asyncio.gather(first, rig.read("THIRD"))


async def test_a_cooldown_without_any_count_holds_for_all_requests() -> None:
    rig = Rig()
    async with rig.slot() as call:
        call.answered(answer(429, retry_after="30"))

    with pytest.raises(RateLimited, match="try again in 30 seconds"):
        await rig.read()
    rig.clock.advance(25.0)
    waiting = rig.read()
    await settle()
    assert not waiting.done()
    rig.clock.advance(5.0)
    await waiting
    await rig.gate.aclose()


async def test_a_longer_cooldown_refuses_at_once_what_waited_for_a_shorter_one() -> None:
    rig = Rig()
    async with rig.slot("A") as first, rig.slot("B") as second:
        first.answered(answer(429, retry_after="5"))
        waiting = rig.read()
        await settle()
        assert not waiting.done()
        second.answered(answer(429, retry_after="30"))

    with pytest.raises(RateLimited, match="try again in 30 seconds"):
        await waiting
    await rig.gate.aclose()


async def test_calls_that_others_make_from_the_same_address_are_reckoned_with() -> None:
    server = CountingServer(40)
    rig = Rig(slots=19, server=server)
    for _ in range(30):
        server.hit(rig.clock.monotonic())
    await rig.read("CHECK")

    answered, refusals = await outcomes([rig.read(f"K{n}") for n in range(50)])

    assert (answered, len(refusals), server.over) == (9, 41, 0)
    await rig.gate.aclose()


async def test_reads_refused_for_their_token_cost_nothing() -> None:
    rig = Rig(server=CountingServer(2))
    await rig.read()
    rig.server = None
    for _ in range(5):
        await rig.read()

    assert rig.gate.state().capacity == 1


async def test_reads_that_never_left_cost_nothing() -> None:
    rig = Rig(own=3)
    rig.failure = TransportError(Failure.UNREACHABLE, "ConnectError", never_sent=True)
    for _ in range(5):
        with pytest.raises(TransportError):
            await rig.read()

    assert rig.gate.state().capacity == 3


async def test_a_read_without_an_answer_counts_until_a_later_answer_tells() -> None:
    server = CountingServer(3)
    rig = Rig(server=server)
    await rig.read()
    rig.failure = TransportError(Failure.TIMED_OUT, "ReadTimeout")
    with pytest.raises(TransportError):
        await rig.read()
    assert rig.gate.state().capacity == 1
    rig.failure = None
    rig.clock.advance(1.0)
    await rig.read()

    assert rig.gate.state().capacity == 1
    assert server.served == [2]


async def test_an_outage_does_not_use_a_window_up_for_good() -> None:
    server = CountingServer(3)
    rig = Rig(server=server)
    await rig.read()
    rig.clock.advance(61.0)
    rig.failure = TransportError(Failure.TIMED_OUT, "ReadTimeout")
    for _ in range(3):
        with pytest.raises(TransportError):
            await rig.read()
    rig.failure = None

    with pytest.raises(RateLimited, match="60 seconds"):
        await rig.read()
    rig.clock.advance(60.0)
    await rig.read()
