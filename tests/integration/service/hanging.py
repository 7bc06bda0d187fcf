"""A wait until a read hangs at the model of Infisical."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.infisical_server import InfisicalServer


async def until_one_hangs(infisical: InfisicalServer) -> None:
    for _ in range(1000):
        if not infisical.breaks:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no read ever came")
