"""A refused key has a place at the time it was given; other requests go on meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter

from adapters.upstream.reservations import HORIZON_MINUTES, KEEP_SECONDS
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import Rig, outcomes
from tests.unit.adapters.upstream.counting_server import CountingServer
from tests.unit.adapters.upstream.http_rig import answer
from tests.unit.adapters.upstream.reservations_rig import retry_after, seconds_told, used_up


async def test_each_window_is_named_to_as_many_secrets_as_it_takes() -> None:
    rig = await used_up(40)

    _, refusals = await outcomes([rig.read(f"K{n}") for n in range(100)])

    assert Counter(map(seconds_told, refusals)) == {60: 40, 121: 40, 182: 20}
    await rig.gate.aclose()


async def test_a_key_asked_for_too_soon_hears_the_same_time_and_takes_no_second_place() -> None:
    rig = await used_up(2)
    assert await retry_after(rig.read("A")) == 60
    rig.clock.advance(20.0)

    again = [await retry_after(rig.read("A")) for _ in range(5)]

    assert again == [40] * 5
    assert await retry_after(rig.read("B")) == 40
    assert await retry_after(rig.read("C")) > 40
    assert await retry_after(rig.read("A")) == 40
    await rig.gate.aclose()


async def test_a_returning_key_is_served_before_others_that_came_first() -> None:
    rig = await used_up(3)
    for name in ("A", "B", "C"):
        assert await retry_after(rig.read(name)) == 60
    rig.clock.advance(60.5)

    others = [rig.read(f"NEW{n}") for n in range(3)]
    await settle()
    assert rig.sent == []
    await asyncio.gather(*(rig.read(name) for name in ("C", "A", "B")))

    assert rig.sent == ["/C", "/A", "/B"]
    assert [await retry_after(other) for other in others] == [60, 60, 60]
    await rig.gate.aclose()


async def test_a_request_without_time_for_what_is_left_over_is_refused_at_once() -> None:
    rig = await used_up(1)
    await retry_after(rig.read("A"))
    rig.clock.advance(60.0)

    # The window has not begun, so the start of the next is unknown; A's rest may be had first.
    assert await retry_after(rig.read("HASTY", seconds=KEEP_SECONDS)) == KEEP_SECONDS
    await rig.read("A")
    await rig.gate.aclose()


async def test_places_without_a_reservation_are_used_at_once() -> None:
    rig = await used_up(3)
    await retry_after(rig.read("A"))
    rig.clock.advance(60.0)

    await asyncio.gather(rig.read("NEW0"), rig.read("NEW1"))
    await rig.read("A")

    assert rig.sent == ["/NEW0", "/NEW1", "/A"]
    await rig.gate.aclose()


async def test_under_the_operators_limit_each_key_is_told_a_place_of_its_own() -> None:
    rig = Rig(own=3)
    for name in ("OLD0", "OLD1", "OLD2"):
        await rig.read(name)
        rig.clock.advance(10.0)

    assert [await retry_after(rig.read(name)) for name in ("A", "B", "C", "D")] == [30, 40, 50, 91]
    assert [await retry_after(rig.read(name)) for name in ("D", "B")] == [91, 40]
    rig.clock.advance(30.0)
    await rig.read("A")
    # The next place is B's in ten seconds; another call with time to wait must not take it.
    assert await retry_after(rig.read("NEW", seconds=15.0)) > 60
    rig.clock.advance(10.0)
    await rig.read("B")
    await rig.gate.aclose()


async def test_keys_made_up_in_one_folder_put_another_off_by_half_of_what_is_reserved() -> None:
    rig = await used_up(2)
    await outcomes([rig.read(f"K{n}", folder="/flood") for n in range(500)])

    seconds = await retry_after(rig.read("K", folder="/other"))

    assert 60 * HORIZON_MINUTES / 2 <= seconds <= 60 * (HORIZON_MINUTES / 2 + 2)
    await rig.gate.aclose()


async def test_a_cooldown_moves_reservations() -> None:
    rig = Rig(server=CountingServer(3))
    await asyncio.gather(rig.read("OLD0"), rig.read("OLD1"))
    async with rig.slot() as call:
        assert await retry_after(rig.read("A")) == 60
        call.answered(answer(429, retry_after="100"))
    rig.clock.advance(60.0)

    assert await retry_after(rig.read("A")) == 40
    rig.clock.advance(40.0)
    await rig.read("A")
    await rig.gate.aclose()


async def test_a_returning_key_that_finds_the_window_used_up_by_others_is_told_the_next() -> None:
    rig = await used_up(2, slots=1)
    for name in ("A", "B"):
        await retry_after(rig.read(name))
    rig.clock.advance(60.0)
    assert rig.server is not None
    # Another client at the same address, whose call the answer to A reveals.
    rig.server.hit(rig.clock.monotonic())

    await rig.read("A")
    assert await retry_after(rig.read("B")) == 60
    rig.clock.advance(60.0)
    other = rig.read("NEW0"), rig.read("NEW1")
    await settle()
    await rig.read("B")

    assert rig.sent == ["/A", "/NEW0", "/B"]
    assert rig.server.over == 0
    await retry_after(other[1])
    await rig.gate.aclose()


async def test_a_waiting_key_is_told_the_next_window_as_soon_as_others_have_used_this_up() -> None:
    rig = await used_up(2, slots=1)
    for name in ("A", "B"):
        await retry_after(rig.read(name))
    rig.clock.advance(60.0)
    assert rig.server is not None
    rig.server.hit(rig.clock.monotonic())
    rig.hang.clear()

    both = [rig.read("A"), rig.read("B")]
    await settle()
    rig.hang.set()

    assert await retry_after(both[1]) == 60
    await both[0]
    await rig.gate.aclose()
