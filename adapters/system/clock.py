"""The machine's own time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from typing_extensions import override

from ports.clock import Clock

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class SystemClock(Clock):
    """Bound to no event loop: one instance serves every loop and thread of the process."""

    # Asked for half a dozen times in each request, so without a function around them.
    now = staticmethod(time.time)  # noqa: TID251  all other code takes the time from here
    monotonic = staticmethod(time.monotonic)  # noqa: TID251  as above

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @override
    def timeout_at(self, deadline: float) -> AbstractAsyncContextManager[object]:
        # A loop may count from a start of its own, so the deadline is carried over as a distance.
        return asyncio.timeout_at(
            asyncio.get_running_loop().time() + (deadline - self.monotonic()),
        )
