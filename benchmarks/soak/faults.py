"""Faults, each made and taken back within seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.soak.stage import ALL
from tests.support.infisical_model import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.soak.stage import Stage
    from tests.support.infisical_model import Call

_LASTS_SECONDS: Final = 5.0


async def _nats_killed(stage: Stage) -> None:
    await stage.servers[0].kill()
    await asyncio.sleep(_LASTS_SECONDS)
    await stage.servers[0].start()


async def _both_killed(stage: Stage) -> None:
    for server in stage.servers[:2]:
        await server.kill()
    await asyncio.sleep(_LASTS_SECONDS)
    for server in stage.servers[:2]:
        await server.start()


async def _nats_reloaded(stage: Stage) -> None:
    await stage.permit()


async def _lame_duck(stage: Stage) -> None:
    server = stage.servers[1]
    os.kill(server.pid, signal.SIGUSR2)
    await asyncio.sleep(_LASTS_SECONDS)
    await server.kill()
    await server.start()


async def _deaf(stage: Stage) -> None:
    await stage.permit(hears=ALL[:1])
    await asyncio.sleep(_LASTS_SECONDS)
    await stage.permit()


async def _mute(stage: Stage) -> None:
    await stage.permit(publishes=ALL[1:])
    await asyncio.sleep(_LASTS_SECONDS)
    await stage.permit()


async def _worker_killed(stage: Stage) -> None:
    os.kill(stage.processes()[-1], signal.SIGKILL)


async def _cpu_starved(_stage: Stage) -> None:
    busy = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        await asyncio.sleep(_LASTS_SECONDS)
    finally:
        for process in busy:
            process.kill()
            await process.wait()


async def _warm_pool_dead(stage: Stage) -> None:
    stage.proxy.swallow()


def _store_answers(answer: Callable[[Call], Result]) -> Callable[[Stage], Awaitable[None]]:
    async def fault(stage: Stage) -> None:
        stage.store.answer = answer
        await asyncio.sleep(_LASTS_SECONDS)
        stage.store.answer = None

    return fault


async def _store_reset(stage: Stage) -> None:
    async def reset(_call: Call, writer: asyncio.StreamWriter) -> bool:
        writer.transport.abort()
        return False

    stage.store.wire = reset
    await asyncio.sleep(_LASTS_SECONDS)
    stage.store.wire = None


async def _store_hung(stage: Stage) -> None:
    free = asyncio.Event()

    async def hang(_call: Call, _writer: asyncio.StreamWriter) -> bool:
        await free.wait()
        return False

    stage.store.wire = hang
    await asyncio.sleep(_LASTS_SECONDS)
    stage.store.wire = None
    free.set()


FAULTS: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "one nats-server killed": _nats_killed,
    "both nats-servers killed": _both_killed,
    "nats-servers reloaded": _nats_reloaded,
    "lame duck mode, then killed": _lame_duck,
    "subscriptions refused": _deaf,
    "replies refused": _mute,
    "worker killed": _worker_killed,
    "processors starved": _cpu_starved,
    "warm connections to the store dead": _warm_pool_dead,
    "store hangs": _store_hung,
    "store resets": _store_reset,
    "store answers 404 HTML": _store_answers(
        lambda _: Result(404, b"<html>gone</html>", {"content-type": "text/html"})
    ),
    "store answers 429": _store_answers(
        lambda _: Result(429, {"message": "slow down"}, {"retry-after": "1"})
    ),
}
