"""A thread for one adapter's blocking calls, and files that are followed by their content."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.clock import Clock

_Result = TypeVar("_Result")

POLL_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 0.5
"""A new content must stay the same for so long: half a file may be a valid one, without the
denials at its end."""

ContentT = TypeVar("ContentT")


@final
class OwnThread:
    """Runs one call after the other, whatever holds up asyncio's few shared threads.

    asyncio looks host names up in those: a name server that is silent would hold up every file.
    """

    def __init__(self, name: str) -> None:
        """Take a name for the thread, which begins with the first call."""
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def run(self, work: Callable[[], _Result]) -> asyncio.Future[_Result]:
        """Begin the call, or queue it; its end, result and errors are the future's."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def end(self) -> None:
        """Take no more calls and let the thread end after those it has."""
        self._threads.shutdown(wait=False)


async def settled(
    read: Callable[[], Awaitable[ContentT]], seen: ContentT | None, clock: Clock
) -> ContentT:
    """Return what a file holds: what was seen, or what has stayed the same since. `read`: reads the
    file; equal contents are equal values.
    """
    content = await read()
    while content != seen:
        await clock.sleep(SETTLE_SECONDS)
        before, content = content, await read()
        if before == content:
            break
    return content
