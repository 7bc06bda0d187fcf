"""Work that several requests wait for, and that belongs to none of them."""

from __future__ import annotations

import asyncio

import pytest

from adapters.upstream.shared_work import SharedWork
from domain.model.errors import RateLimited, StoreUnavailable


class Work:
    """Ends once it is let go. Attributes: `begun` counts how often it was begun."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.begun += 1
        await self.gate.wait()
        if self._error is not None:
            raise self._error
        return self.begun


async def waiting(shared: SharedWork[int], work: Work, *keys: str) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(shared.outcome(work, key)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_requests_for_one_key_share_the_work_and_its_outcome() -> None:
    shared, work = SharedWork[int]("work"), Work()
    first = await waiting(shared, work, "a", "a", "b")
    work.gate.set()

    assert await asyncio.gather(*first) == [2, 2, 2]
    assert work.begun == 2
    assert await shared.outcome(work, "a") == 3


async def test_the_work_goes_on_when_the_request_that_began_it_is_cancelled() -> None:
    shared, work = SharedWork[int]("work"), Work()
    first, second = await waiting(shared, work, "a", "a")
    first.cancel()
    work.gate.set()

    assert await second == 1
    assert first.cancelled()


async def test_each_request_gets_an_error_of_its_own_that_says_the_same() -> None:
    cause = RateLimited("Come back.", reason="limited", retry_after=7.0)
    shared, work = SharedWork[int]("work"), Work(cause)
    tasks = await waiting(shared, work, "a", "a")
    work.gate.set()

    errors = await asyncio.gather(*tasks, return_exceptions=True)

    assert len({id(error) for error in (*errors, cause)}) == 3
    for error in errors:
        assert isinstance(error, RateLimited)
        assert (error.advice, error.reason, error.retry_after) == ("Come back.", "limited", 7.0)
        assert error.__context__ is None


async def test_closing_ends_the_work_and_says_so_to_all_that_wait() -> None:
    ends: list[None] = []
    shared, work = SharedWork[int]("work", lambda: ends.append(None)), Work()
    tasks = await waiting(shared, work, "a", "b")

    await shared.aclose()

    for task in tasks:
        with pytest.raises(StoreUnavailable, match="shutting down"):
            await task
    assert ends == [None, None]
