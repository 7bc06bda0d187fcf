"""A thread for one adapter's blocking calls."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


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
