"""Servers that end, and rights that are taken away."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Final

from benchmarks.soak.stage import ALL, LASTS_SECONDS

if TYPE_CHECKING:
    from benchmarks.soak.stage import Fault, Stage


async def _one_killed(stage: Stage) -> None:
    await stage.servers[0].kill()
    await asyncio.sleep(LASTS_SECONDS)
    await stage.servers[0].start()


async def _both_killed(stage: Stage) -> None:
    for server in stage.servers[:2]:
        await server.kill()
    await asyncio.sleep(LASTS_SECONDS)
    for server in stage.servers[:2]:
        await server.start()


async def _reloaded(stage: Stage) -> None:
    await stage.permit()


async def _lame_duck(stage: Stage) -> None:
    server = stage.servers[1]
    os.kill(server.pid, signal.SIGUSR2)
    await asyncio.sleep(LASTS_SECONDS)
    await server.kill()
    await server.start()


async def _deaf(stage: Stage) -> None:
    await stage.permit(hears=ALL[:1])
    await asyncio.sleep(LASTS_SECONDS)
    await stage.permit()


async def _mute(stage: Stage) -> None:
    await stage.permit(publishes=ALL[1:])
    await asyncio.sleep(LASTS_SECONDS)
    await stage.permit()


NATS_FAULTS: Final[dict[str, Fault]] = {
    "one nats-server killed": _one_killed,
    "both nats-servers killed": _both_killed,
    "nats-servers reloaded": _reloaded,
    "lame duck mode, then killed": _lame_duck,
    "subscriptions refused": _deaf,
    "replies refused": _mute,
}
