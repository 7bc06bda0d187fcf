"""Deadlines that share timers: thousands of waiting requests have theirs at the same moments."""

from __future__ import annotations

import asyncio
import math
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

if TYPE_CHECKING:
    from types import TracebackType

MOMENTS_A_SECOND: Final = 100
"""A block is ended up to 10 ms after its deadline."""


@final
class Deadlines:
    """The deadlines of one event loop, by the moment at which they end their blocks.

    A timer of the event loop for each block costs five times as much: each is sorted in among all
    others, and taken out again when its block ends in time, as nearly all do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._moments: dict[int, _Moment] = {}

    def moment(self, when: float) -> _Moment:
        """Return the moment at or after a time of the event loop."""
        number = math.ceil(when * MOMENTS_A_SECOND)
        moment = self._moments.get(number)
        if moment is None:
            moment = self._moments[number] = _Moment(self._moments, number, self.loop)
        return moment


@final
class _Moment:
    """The blocks that end at one moment, and its timer."""

    def __init__(
        self, moments: dict[int, _Moment], number: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._moments = moments
        self._number = number
        self._blocks: dict[BoundedBlock, None] = {}
        self._timer = loop.call_at(number / MOMENTS_A_SECOND, self._come)

    def add(self, block: BoundedBlock) -> None:
        """Cancel this block when the moment comes."""
        self._blocks[block] = None

    def discard(self, block: BoundedBlock) -> None:
        """Leave a block alone that has ended."""
        if self._blocks.pop(block, self) is None and not self._blocks:
            self._timer.cancel()
            del self._moments[self._number]

    def _come(self) -> None:
        del self._moments[self._number], self._timer
        blocks, self._blocks = self._blocks, {}
        for block in blocks:
            block.cancel()


@final
class BoundedBlock(AbstractAsyncContextManager[None]):
    """Behaves as `asyncio.timeout_at`."""

    def __init__(self, deadlines: Deadlines, when: float) -> None:
        self._deadlines = deadlines
        self._when = when
        self._is_over = False

    @override
    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline bounds a block of a task.")
        self._task = task
        self._cancellations = task.cancelling()
        self._moment = self._deadlines.moment(self._when)
        self._moment.add(self)

    @override
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._moment.discard(self)
        # As many cancellations as before: the only one was this block's own.
        is_own = self._is_over and self._task.uncancel() <= self._cancellations
        if is_own and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def cancel(self) -> None:
        """End the block: its time is over."""
        self._is_over = True
        self._task.cancel()
