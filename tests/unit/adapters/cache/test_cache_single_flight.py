"""One call for all requests that wait, which none of them can end."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.cache.config import CacheConfig
from domain.model.errors import SecretNotFound, StoreUnavailable, Unauthorized, UpstreamError
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, unreachable


@pytest.mark.parametrize("ttl", [5.0, 0.0])
async def test_a_thousand_concurrent_requests_make_one_call(ttl: float) -> None:
    rig = Rig(CacheConfig(ttl_seconds=ttl))
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    waiting = [asyncio.create_task(rig.fetch()) for _ in range(1000)]
    await settle()
    rig.inner.gate.set()

    secrets = await asyncio.gather(*waiting)

    assert {secret.value.reveal() for secret in secrets} == {"value"}
    assert rig.calls == 1
    assert (rig.cache.statistics().misses, rig.cache.statistics().shared) == (1, 999)


async def test_a_failing_call_is_shared_too_and_each_gets_an_error_of_their_own() -> None:
    rig = Rig()
    rig.inner.failure = unreachable()

    outcomes = await asyncio.gather(*(rig.fetch() for _ in range(50)), return_exceptions=True)

    assert rig.calls == 1
    assert {(type(error), str(error)) for error in outcomes} == {
        (StoreUnavailable, "The store cannot be reached.")
    }
    assert len({id(error) for error in outcomes}) == 50


async def test_an_error_keeps_its_reason_and_the_stores_request_id() -> None:
    rig = Rig()
    rig.inner.failure = unreachable()

    with pytest.raises(UpstreamError) as failure:
        await rig.fetch()

    assert (failure.value.reason, failure.value.upstream_request_id) == ("store_unreachable", "u-1")
    assert failure.value.__context__ is None


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_the_call_survives_whoever_is_cancelled(cancelled: int) -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    waiting = [asyncio.create_task(rig.fetch()) for _ in range(3)]
    await settle()
    waiting.pop(cancelled).cancel()
    await settle()
    rig.inner.gate.set()

    assert [(await task).value.reveal() for task in waiting] == ["value", "value"]
    assert rig.calls == 1


async def test_a_call_that_nobody_waits_for_any_more_still_fills_the_cache() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    waiting = [asyncio.create_task(rig.fetch()) for _ in range(3)]
    await settle()
    for task in waiting:
        task.cancel()
    await settle()
    rig.inner.gate.set()
    await settle()

    assert all(task.cancelled() for task in waiting)
    assert await rig.text() == ("cache", "value")


async def test_each_waiter_gives_up_at_their_own_deadline() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    hasty = asyncio.create_task(rig.request(rig.query(timeout_seconds=1)))
    patient = asyncio.create_task(rig.request(rig.query(timeout_seconds=6)))
    await settle()
    rig.clock.advance(1)
    await settle()

    with pytest.raises(UpstreamError) as failure:
        await hasty
    assert failure.value.reason == "deadline_passed"
    assert not patient.done()
    rig.inner.gate.set()
    assert (await patient).value.reveal() == "value"
    assert rig.calls == 1


async def test_a_hasty_request_does_not_shorten_the_call_for_the_others() -> None:
    rig = Rig(CacheConfig(call_seconds=5))
    rig.inner.put(PATH, "value")
    begun = rig.clock.monotonic()

    await rig.request(rig.query(timeout_seconds=0.1))
    await rig.request(rig.query(version="1", timeout_seconds=7))

    assert [query.deadline - begun for query in rig.inner.queries] == [5, 7]


async def test_a_call_that_hangs_ends_and_the_next_request_makes_another() -> None:
    rig = Rig(CacheConfig(call_seconds=5, negative_seconds=0))
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    stuck = asyncio.create_task(rig.request(rig.query(timeout_seconds=1)))
    await settle()
    rig.clock.advance(5)
    await asyncio.gather(stuck, return_exceptions=True)
    await settle()
    rig.inner.gate.set()

    assert await rig.text() == ("store", "value")
    assert rig.calls == 2


async def test_a_deadline_that_has_passed_still_gets_what_is_cached() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()

    assert (await rig.request(rig.query(timeout_seconds=-1))).source == "cache"


@pytest.mark.parametrize(
    ("error", "calls"), [(unreachable(), 1), (SecretNotFound("None."), 1), (Unauthorized("No."), 2)]
)
async def test_a_failure_answers_for_a_moment_but_a_refusal_never(
    error: Exception, calls: int
) -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.failure = error
    for _ in range(2):
        with pytest.raises(type(error)):
            await rig.fetch()
        rig.clock.advance(0.4)
    assert rig.calls == calls
    assert rig.cache.statistics().negative_hits == 2 - calls

    rig.inner.failure = None
    rig.clock.advance(0.2)
    assert await rig.text() == ("store", "value")


async def test_an_unforeseen_error_reaches_every_waiter_and_is_not_remembered() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.failure = LookupError("hunter2")
    with capture_logs() as log:
        outcomes = await asyncio.gather(*(rig.fetch() for _ in range(3)), return_exceptions=True)
        await settle()

    assert [type(error) for error in outcomes] == [LookupError] * 3
    assert log == [
        {"event": "cache.fetch_crashed", "error_type": "LookupError", "log_level": "error"}
    ]
    rig.inner.failure = None
    assert await rig.text() == ("store", "value")


async def test_closing_ends_the_calls_and_tells_who_waits() -> None:
    rig = Rig()
    rig.inner.gate.clear()
    waiting = asyncio.create_task(rig.fetch())
    await settle()

    await rig.cache.aclose()

    with pytest.raises(UpstreamError) as failure:
        await waiting
    assert failure.value.reason == "cache_closed"
    await rig.cache.aclose()
