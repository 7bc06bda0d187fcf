"""A store that hangs, fails, or is not what answers at its address."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from benchmarks.soak.stage import LASTS_SECONDS
from tests.support.infisical_model import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.soak.stage import Fault, Stage
    from tests.support.infisical_model import Call


async def _warm_pool_dead(stage: Stage) -> None:
    stage.proxy.swallow()


def _answers(answer: Callable[[Call], Result]) -> Fault:
    async def fault(stage: Stage) -> None:
        stage.store.answer = answer
        await asyncio.sleep(LASTS_SECONDS)
        stage.store.answer = None

    return fault


async def _resets(stage: Stage) -> None:
    async def reset(_call: Call, writer: asyncio.StreamWriter) -> bool:
        writer.transport.abort()
        return False

    stage.store.wire = reset
    await asyncio.sleep(LASTS_SECONDS)
    stage.store.wire = None


async def _hangs(stage: Stage) -> None:
    free = asyncio.Event()

    async def hang(_call: Call, _writer: asyncio.StreamWriter) -> bool:
        await free.wait()
        return False

    stage.store.wire = hang
    await asyncio.sleep(LASTS_SECONDS)
    stage.store.wire = None
    free.set()


STORE_FAULTS: Final[dict[str, Fault]] = {
    "warm connections to the store dead": _warm_pool_dead,
    "store hangs": _hangs,
    "store resets": _resets,
    "store answers 404 HTML": _answers(
        lambda _: Result(404, b"<html>gone</html>", {"content-type": "text/html"})
    ),
    "store answers 429": _answers(
        lambda _: Result(429, {"message": "slow down"}, {"retry-after": "1"})
    ),
}
