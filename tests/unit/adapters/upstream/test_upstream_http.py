"""Attempts, deadlines, rate limits and counts of calls to a store."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.upstream.engine import Failure
from adapters.upstream.statistics import Lane
from domain.model.errors import RateLimited, StoreTooSlow, StoreUnavailable, UpstreamError
from tests.support.settling import settle
from tests.unit.adapters.upstream.http_rig import HttpRig, answer, broken

TOKEN = "canary-token"


async def test_a_request_is_sent_as_it_was_described() -> None:
    rig = HttpRig()

    await rig.get("/a%2Fb", query={"k": "ü &"}, headers={"X-Token": TOKEN}, json={"x": 1})

    (request,) = rig.engine.requests
    assert (request.method, request.url) == ("GET", "https://store.test/base/a%2Fb?k=%C3%BC%20%26")
    assert request.headers["X-Token"] == TOKEN
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or b"") == {"x": 1}
    assert TOKEN not in repr(request)


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMED_OUT])
async def test_a_transport_failure_is_tried_again(failure: Failure) -> None:
    rig = HttpRig(broken(failure), broken(failure), answer(200, {"ok": 1}))

    response = await rig.get()

    assert response.member("ok") == 1
    assert rig.attempts == 3


@pytest.mark.parametrize(
    ("failure", "kind", "names"),
    [
        (Failure.UNREACHABLE, StoreUnavailable, "STORE_URL"),
        (Failure.TIMED_OUT, StoreTooSlow, "health"),
        (Failure.UNTRUSTED, UpstreamError, "STORE_CA_FILE"),
        (Failure.TOO_LARGE, UpstreamError, "STORE_URL"),
        (Failure.UNREADABLE, UpstreamError, "proxy"),
    ],
)
async def test_a_failure_that_stays_names_what_to_check(
    failure: Failure, kind: type[UpstreamError], names: str
) -> None:
    rig = HttpRig(*[broken(failure)] * 9)

    with pytest.raises(UpstreamError) as error:
        await rig.get(headers={"X-Token": TOKEN})

    assert type(error.value) is kind
    assert error.value.reason == f"store_{failure}"
    assert names in error.value.advice
    assert error.value.__context__ is None
    assert rig.attempts == (5 if issubclass(kind, StoreUnavailable) else 1)


async def test_a_call_that_may_not_be_repeated_is_sent_once() -> None:
    rig = HttpRig(broken())

    with pytest.raises(StoreUnavailable):
        await rig.get(retry=False)

    assert rig.attempts == 1


async def test_attempts_are_spread_out_more_and_more() -> None:
    rig = HttpRig(*[broken()] * 4)
    rig.draw = 0.5
    call = asyncio.create_task(rig.get())

    for number, delay in enumerate((0.1, 0.2, 0.4, 0.8), start=1):
        await settle()
        assert rig.attempts == number
        rig.clock.advance(delay - 0.01)
        await settle()
        assert rig.attempts == number
        rig.clock.advance(0.02)

    assert (await call).status == 200


async def test_a_broken_connection_that_was_used_before_is_replaced_at_once() -> None:
    rig = HttpRig(broken(reused=True))
    rig.draw = 1.0

    assert (await rig.get()).status == 200

    assert rig.engine.dropped == 0


async def test_a_timeout_on_a_used_connection_drops_the_idle_ones() -> None:
    rig = HttpRig(broken(Failure.TIMED_OUT, reused=True))
    rig.draw = 1.0

    assert (await rig.get()).status == 200

    assert rig.engine.dropped == 1


async def test_a_timeout_on_a_new_connection_leaves_the_others() -> None:
    rig = HttpRig(broken(Failure.TIMED_OUT))

    await rig.get()

    assert rig.engine.dropped == 0


async def test_a_call_ends_at_its_deadline() -> None:
    rig = HttpRig()
    hang = asyncio.Event()

    async def wait(_request: object) -> None:
        await hang.wait()

    rig.engine._answer = wait  # type: ignore[assignment]
    call = asyncio.create_task(rig.get(seconds=3))
    await settle()
    rig.clock.advance(3)

    with pytest.raises(StoreUnavailable) as error:
        await call
    assert error.value.reason == "store_timed_out"


async def test_no_attempt_begins_that_could_only_end_after_the_deadline() -> None:
    rig = HttpRig(*[broken()] * 9)
    rig.draw = 1.0

    with pytest.raises(StoreUnavailable):
        await rig.get(seconds=0.1)

    assert rig.attempts == 1


async def test_a_server_error_that_stays_is_returned() -> None:
    rig = HttpRig(*[answer(503)] * 9)

    assert (await rig.get()).status == 503
    assert rig.attempts == 5


async def test_a_rate_limit_is_waited_out_where_the_deadline_allows() -> None:
    rig = HttpRig(answer(429, retry_after="3"))
    call = asyncio.create_task(rig.get(seconds=8))
    await settle()
    assert rig.attempts == 1
    rig.clock.advance(3)

    assert (await call).status == 200


async def test_a_rate_limit_beyond_the_deadline_is_told_at_once() -> None:
    rig = HttpRig(answer(429, retry_after="30"))

    with pytest.raises(RateLimited) as error:
        await rig.get(seconds=8)

    assert error.value.retry_after == 30
    assert "30 seconds" in error.value.advice


async def test_hanging_reads_leave_a_connection_to_the_login() -> None:
    rig = HttpRig(max_connections=3)
    gate = asyncio.Event()

    async def wait(_request: object) -> object:
        await gate.wait()
        return answer()

    rig.engine._answer = wait  # type: ignore[assignment]
    reads = [asyncio.create_task(rig.get()) for _ in range(5)]
    await settle()
    assert rig.attempts == 2

    login = asyncio.create_task(rig.get("/login", lane=Lane.LOGIN))
    await settle()

    assert rig.attempts == 3
    gate.set()
    await asyncio.gather(login, *reads)


async def test_every_attempt_is_counted_by_what_came_back() -> None:
    rig = HttpRig(answer(503), broken(), answer())

    await rig.get()
    await rig.get(lane=Lane.LOGIN)

    counts = rig.http.statistics.counts
    assert (counts["5xx"], counts["none"], counts["2xx"]) == (1, 1, 2)
    assert rig.http.statistics.durations["login", "2xx"].count == 1
