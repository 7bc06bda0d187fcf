"""Names that lead elsewhere, or that no server tells."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from benchmarks.soak.stage import LASTS_SECONDS, NATS_NAMES, STORE_ADDRESSES, STORE_NAME
from tests.support.swallowing import swallowing

if TYPE_CHECKING:
    from benchmarks.soak.stage import Fault, Stage

_DEAD: Final = "127.0.0.9"


async def _store_moves(stage: Stage) -> None:
    """Have the store's name lead to another address, and nothing listen at the former one."""
    (former,) = stage.names.addresses[STORE_NAME]
    (new,) = (address for address in STORE_ADDRESSES if address != former)
    await stage.listen_at(new)
    stage.names.addresses[STORE_NAME] = [new]


async def _silent(stage: Stage) -> None:
    """Answer no query, and end the connections to the store, so that its name is needed."""
    stage.names.silent = True
    stage.proxy.cut()
    await asyncio.sleep(LASTS_SECONDS)
    stage.names.silent = False


async def _dead_address_first(stage: Stage) -> None:
    """Restart the servers while their names lead first to an address that swallows packets."""
    with ExitStack() as held:
        for name, server in zip(NATS_NAMES, stage.servers, strict=False):
            held.enter_context(swallowing(_DEAD, server.port))
            stage.names.addresses[name] = [_DEAD, "127.0.0.1"]
        for server in stage.servers[:2]:
            await server.kill()
        for server in stage.servers[:2]:
            await server.start()
        await asyncio.sleep(LASTS_SECONDS)
    for name in NATS_NAMES:
        stage.names.addresses[name] = ["127.0.0.1"]


NAME_FAULTS: Final[dict[str, Fault]] = {
    "store's name moves": _store_moves,
    "name server silent, store's connections cut": _silent,
    "NATS names with a dead address, servers restarted": _dead_address_first,
}
