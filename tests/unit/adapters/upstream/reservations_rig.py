"""Windows that are used up, and the time that a refused key is given."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import RateLimited
from tests.support.settling import settle
from tests.unit.adapters.upstream.admission_rig import Rig
from tests.unit.adapters.upstream.counting_server import CountingServer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse


def seconds_told(error: RateLimited) -> int:
    """Return the whole seconds that the text tells; `retry_after` is no longer than these."""
    assert error.retry_after is not None
    seconds = math.ceil(error.retry_after)
    assert f"try again in {max(1, seconds)} second" in error.advice
    return max(1, seconds)


async def retry_after(read: asyncio.Task[UpstreamResponse]) -> int:
    """Return the seconds after which a read that is refused at once may come back."""
    await settle()
    assert read.done()
    with pytest.raises(RateLimited) as refusal:
        await read
    return seconds_told(refusal.value)


async def used_up(limit: int, *, slots: int = 10) -> Rig:
    """Return a gate before a server whose window has just begun and takes no more reads."""
    rig = Rig(slots=slots, server=CountingServer(limit))
    await asyncio.gather(*(rig.read(f"OLD{n}") for n in range(limit)))
    rig.sent.clear()
    return rig
