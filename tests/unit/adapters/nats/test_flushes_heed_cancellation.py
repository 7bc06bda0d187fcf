"""A flush to a server that reads nothing can be cancelled, and has time limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

from adapters.nats.client import ResilientClient
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Flusher = asyncio.Task[Any]


class StuckClient(ResilientClient):
    """Connected, with a flusher that waits for the server, and a buffer that is full."""

    def __init__(self) -> None:
        super().__init__()
        self._status = Client.CONNECTED
        self._flush_queue = asyncio.Queue()
        self._flusher_task = asyncio.create_task(asyncio.Event().wait())
        self._flush_timeout = 1000
        self._max_payload = 100
        self._max_pending_size = 1

    async def go_on(self) -> None:
        """Let the flusher be done with all that it was asked for."""
        assert self._flush_queue is not None
        while not self._flush_queue.empty():
            self._flush_queue.get_nowait().set_result(None)
        await settle()


@pytest.fixture
async def stuck() -> AsyncIterator[StuckClient]:
    client = StuckClient()
    yield client
    assert client._flusher_task is not None
    client._flusher_task.cancel()


async def test_a_cancellation_ends_who_publishes(stuck: StuckClient) -> None:
    publishing = asyncio.create_task(stuck.publish("subject", b"body"))
    await settle()
    assert not publishing.done()

    publishing.cancel()
    await settle()

    assert publishing.cancelled()


async def test_a_time_limit_holds(stuck: StuckClient) -> None:
    clock = FakeClock()

    async def post() -> None:
        waiting = stuck.publish_raw(b"subject", b"body")
        assert waiting is not None
        async with clock.timeout_at(clock.monotonic() + 2):
            await waiting

    posting = asyncio.create_task(post())
    await settle()
    assert not posting.done()
    clock.advance(2)

    with pytest.raises(TimeoutError):
        await posting


async def test_a_flush_that_nobody_cancels_ends_as_ever(stuck: StuckClient) -> None:
    publishing = asyncio.create_task(stuck.publish("subject", b"body"))
    await settle()

    await stuck.go_on()

    assert publishing.done()
    assert publishing.result() is None


async def test_who_cleans_up_after_a_cancellation_may_still_flush(stuck: StuckClient) -> None:
    cleaned_up = False

    async def work() -> None:
        nonlocal cleaned_up
        try:
            await asyncio.Event().wait()
        finally:
            await stuck.publish("subject", b"body")
            cleaned_up = True

    working = asyncio.create_task(work())
    await settle()
    working.cancel()
    await settle()
    await stuck.go_on()

    assert cleaned_up
    assert working.cancelled()


async def test_a_second_cancellation_ends_the_cleaning_up(stuck: StuckClient) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await stuck.publish("subject", b"body")
            raise AssertionError("it went on")

    working = asyncio.create_task(work())
    await settle()
    for _ in range(2):
        working.cancel()
        await settle()

    assert working.cancelled()
