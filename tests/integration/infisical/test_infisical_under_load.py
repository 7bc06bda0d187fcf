"""Rushes, limits and outages, with real time and real sockets."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Self

import pytest
from typing_extensions import override

from adapters.breaker.circuit import BreakerConfig, State
from adapters.breaker.store import CIRCUIT_OPEN, BreakingSecretStore
from adapters.infisical import reasons
from adapters.system.clock import SystemClock
from domain.model.errors import UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from domain.model.secret import Secret
from tests.contracts.secret_store import CALLER
from tests.support.infisical_model import Call, Result, refusal
from tests.support.infisical_server import Break, InfisicalServer, recorded_result
from tests.unit.adapters.upstream.counting_server import CountingServer

if TYPE_CHECKING:
    from tests.integration.infisical.conftest import Adapter, OpenAdapter

RUSH = 200
OUTAGES = frozenset({reasons.UNREACHABLE, reasons.TIMED_OUT, reasons.FAILING})


def over_the_limit(status: int, headers: dict[str, str]) -> Result:
    """Answer as recorded, or as newer servers do, but with the time that is really left."""
    if status == 500:
        recorded = recorded_result("rate_limited_get_secret")
        return Result(status, recorded.body, {**recorded.headers, **headers})
    result = refusal(status, "RateLimitExceeded", "Rate limit exceeded. Please try again.")
    return Result(status, result.body, headers)


def limited_server(limits: CountingServer) -> InfisicalServer:
    """A server that holds many secrets and counts the reads."""
    server, clock = InfisicalServer(), SystemClock()
    for number in range(RUSH):
        server.model.put(f"K{number}", "v")

    def answer(call: Call) -> Result:
        result = server.model.answer(call)
        if call.method == "POST":
            return result
        status, headers = limits.hit(clock.monotonic())
        if status != 200:
            return over_the_limit(status, headers)
        return Result(result.status, result.body, headers)

    server.answer = answer
    return server


async def rush(adapter: Adapter) -> list[Secret | BaseException]:
    return await asyncio.gather(
        *(adapter.get(f"K{number}", seconds=8.0) for number in range(RUSH)),
        return_exceptions=True,
    )


@pytest.mark.parametrize("status", [500, 429])
async def test_of_two_hundred_at_once_forty_are_answered_and_the_rest_refused_at_once(
    open_adapter: OpenAdapter, status: int
) -> None:
    limits = CountingServer(40, status)
    async with limited_server(limits) as server:
        adapter = open_adapter(server.url)
        started = adapter.clock.monotonic()

        ends = await rush(adapter)

        took = adapter.clock.monotonic() - started
        refusals = [end for end in ends if isinstance(end, UpstreamError)]
        assert sum(isinstance(end, Secret) for end in ends) == 40
        assert len(refusals) == 160
        assert all("Infisical limits the rate of calls; try again in" in r.advice for r in refusals)
        assert {r.reason for r in refusals} == {reasons.RATE_LIMITED}
        assert (limits.served, limits.over) == ([40], 0)
        assert took < 4.0


async def test_the_operators_limit_holds_against_a_server_without_one(
    open_adapter: OpenAdapter,
) -> None:
    async with InfisicalServer() as server:
        for number in range(RUSH):
            server.model.put(f"K{number}", "v")
        adapter = open_adapter(server.url, max_requests_per_minute=120)

        ends = await rush(adapter)

        refusals = [end for end in ends if isinstance(end, UpstreamError)]
        assert len(server.model.reads) == sum(isinstance(end, Secret) for end in ends) == 120
        assert all("INFISICAL_MAX_REQUESTS_PER_MINUTE limits" in r.advice for r in refusals)
        assert len(refusals) == 80


async def test_a_folder_that_hangs_delays_no_other(open_adapter: OpenAdapter) -> None:
    async with InfisicalServer() as server:
        for number in range(50):
            server.model.put(f"K{number}", "v", folder="/slow")
            server.model.put(f"K{number}", "v", folder="/quick")
        adapter = open_adapter(server.url, max_connections=8)
        await adapter.get("/quick/K0")
        server.breaks = [Break.HANG] * 4
        slow = [asyncio.create_task(adapter.get(f"/slow/K{n}", seconds=3.0)) for n in range(50)]
        await asyncio.sleep(0.3)
        started = adapter.clock.monotonic()

        await asyncio.gather(*(adapter.get(f"/quick/K{n}", seconds=2.0) for n in range(50)))

        assert adapter.clock.monotonic() - started < 1.5
        await asyncio.gather(*slow, return_exceptions=True)
        assert server.breaks == []


async def test_of_a_slow_folder_what_is_in_time_is_answered_and_the_rest_refused_at_its_deadline(
    open_adapter: OpenAdapter,
) -> None:
    share = 4
    async with InfisicalServer() as server:
        for number in range(RUSH):
            server.model.put(f"K{number}", "v", folder="/slow")
            server.model.put(f"K{number}", "v", folder="/quick")

        async def take_time(call: Call, _: asyncio.StreamWriter) -> None:
            if call.query["secretPath"] == "/slow":
                await asyncio.sleep(1.0)

        server.wire = take_time
        # Seven places for reads; of these a folder holds four while no other holds any.
        adapter = open_adapter(server.url, max_connections=8)
        started = adapter.clock.monotonic()
        slow = [
            asyncio.create_task(adapter.get(f"/slow/K{number}", seconds=4.0))
            for number in range(RUSH)
        ]
        await asyncio.sleep(0.1)
        await asyncio.gather(*(adapter.get(f"/quick/K{n}", seconds=3.0) for n in range(50)))
        quick_ended = adapter.clock.monotonic() - started
        ends = await asyncio.gather(*slow, return_exceptions=True)
        slow_ended = adapter.clock.monotonic() - started

    answered = sum(isinstance(end, Secret) for end in ends)
    busy = [end for end in ends if isinstance(end, UpstreamError) and end.reason == reasons.BUSY]
    assert quick_ended < 2.5
    assert 2 * share <= answered <= 4 * share
    # On a busy machine some more are refused at their deadline instead.
    assert len(busy) >= RUSH - 12 * share
    assert all("try again in 10 seconds" in end.advice for end in busy)
    assert slow_ended < 5.5


class ServerThatComesBack(InfisicalServer):
    """Listens on the same port each time its context is entered. Attributes: `port`, that one."""

    port = 0

    @override
    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self


async def test_a_server_that_is_down_is_left_alone_and_found_again_in_seconds(
    open_adapter: OpenAdapter,
) -> None:
    server = ServerThatComesBack()
    for number in range(RUSH):
        server.model.put(f"K{number}", "v")
    async with server:
        adapter = open_adapter(server.url)
        store = BreakingSecretStore(adapter.store, BreakerConfig(), adapter.clock, random.random)

        async def get(number: int) -> str:
            location = store.locate(SecretReference(f"K{number}"))
            deadline = adapter.clock.monotonic() + 8.0
            try:
                await store.fetch(SecretQuery(location, None, CALLER, deadline))
            except UpstreamError as error:
                return error.reason
            return "answered"

        assert await get(0) == "answered"

    first = await asyncio.gather(*(get(number) for number in range(20)))
    assert set(first) == {reasons.UNREACHABLE}
    assert store.state().state is State.OPEN
    started = adapter.clock.monotonic()
    assert set(await asyncio.gather(*(get(n) for n in range(RUSH)))) <= {
        CIRCUIT_OPEN,
        reasons.UNREACHABLE,
    }
    assert adapter.clock.monotonic() - started < 2.0

    async with server:
        back = adapter.clock.monotonic()
        ends: list[str] = []
        while "answered" not in ends and adapter.clock.monotonic() - back < 6.0:
            ends = await asyncio.gather(*(get(number) for number in range(10)))
            await asyncio.sleep(0.1)
        assert store.state().state is State.CLOSED
        assert set(await asyncio.gather(*(get(n) for n in range(RUSH)))) == {"answered"}
