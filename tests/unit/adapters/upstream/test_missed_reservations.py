"""Reservations that are met early, late or not at all."""

from __future__ import annotations

import asyncio

from adapters.upstream.reservations import KEEP_SECONDS
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import outcomes
from tests.unit.adapters.upstream.reservations_rig import retry_after, used_up


async def test_what_is_kept_in_vain_goes_to_others_seconds_later() -> None:
    rig = await used_up(3)
    for name in ("A", "B", "C"):
        await retry_after(rig.read(name))
    rig.clock.advance(60.0)
    others = [rig.read(f"NEW{n}") for n in range(3)]
    await settle()
    await rig.read("B")

    rig.clock.advance(KEEP_SECONDS)

    answered, refusals = await outcomes(others)
    assert (answered, len(refusals)) == (2, 1)
    assert rig.sent == ["/B", "/NEW0", "/NEW1"]
    await rig.gate.aclose()


async def test_a_key_that_returns_a_little_early_waits_for_its_place_and_others_for_none() -> None:
    rig = await used_up(2)
    for name in ("A", "B"):
        await retry_after(rig.read(name))
    rig.clock.advance(55.0)

    early = rig.read("B")
    await settle()
    assert await retry_after(rig.read("NEW")) > 60
    assert rig.gate.state().waiting == 1
    rig.clock.advance(5.0)

    await early
    await rig.read("A")
    assert rig.sent == ["/B", "/A"]
    await rig.gate.aclose()


async def test_a_key_that_returned_early_and_was_cancelled_still_has_its_place() -> None:
    rig = await used_up(1)
    await retry_after(rig.read("A"))
    rig.clock.advance(55.0)
    early = rig.read("A")
    await settle()
    early.cancel()
    await settle()
    rig.clock.advance(5.0)

    other = rig.read("NEW")
    await rig.read("A")

    assert rig.sent == ["/A"]
    await retry_after(other)
    await rig.gate.aclose()


async def test_two_early_requests_for_one_key_have_one_place() -> None:
    rig = await used_up(2)
    for name in ("A", "B"):
        await retry_after(rig.read(name))
    rig.clock.advance(55.0)
    early = [rig.read("A") for _ in range(2)]
    await settle()
    rig.clock.advance(5.0)
    await settle()

    await rig.read("B")

    assert sorted(rig.sent) == ["/A", "/B"]
    assert (await outcomes(early))[0] == 1
    await rig.gate.aclose()


async def test_a_key_served_before_its_time_has_no_place_any_more() -> None:
    rig = await used_up(2)
    for name in ("A", "B", "C"):
        await retry_after(rig.read(name))
    # A and B never come: what is kept for them goes to C, and none is kept for C a minute later.
    rig.clock.advance(60.0 + KEEP_SECONDS)
    await asyncio.gather(rig.read("C"), rig.read("NEW"))
    rig.clock.advance(60.0)

    await asyncio.gather(rig.read("X"), rig.read("Y"))

    assert rig.sent == ["/C", "/NEW", "/X", "/Y"]
    await rig.gate.aclose()


async def test_where_a_window_begins_late_a_key_returning_in_vain_has_a_place_in_the_next() -> None:
    rig = await used_up(2)
    assert [await retry_after(rig.read(name)) for name in ("A", "B", "C", "D")] == [
        60,
        60,
        121,
        121,
    ]
    # The window that A and B were given begins half a minute late, with others.
    rig.clock.advance(90.0)
    await asyncio.gather(rig.read("NEW0"), rig.read("NEW1"))
    assert await retry_after(rig.read("NEW2")) == 121

    rig.clock.advance(31.0)
    assert [await retry_after(rig.read(name)) for name in ("C", "D")] == [29, 29]
    rig.clock.advance(29.0)
    late = rig.read("NEW3")
    await asyncio.gather(*(rig.read(name) for name in ("D", "C")))

    assert rig.sent[2:] == ["/D", "/C"]
    await retry_after(late)
    await rig.gate.aclose()


async def test_a_key_that_misses_its_place_by_a_moment_has_it_reserved() -> None:
    rig = await used_up(1)
    rig.clock.advance(55.0)
    waiting = rig.read("A", seconds=5.01)
    await settle()
    assert not waiting.done()
    rig.clock.advance(4.995)
    assert await retry_after(waiting) == 1
    rig.clock.advance(0.005)

    other = rig.read("NEW")
    await settle()
    await rig.read("A")

    assert rig.sent == ["/A"]
    await retry_after(other)
    await rig.gate.aclose()
