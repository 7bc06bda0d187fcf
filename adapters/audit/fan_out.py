"""Several sinks as one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.audit.sink import AuditSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.model.audit import AuditEvent


class AuditFanOut(AuditSink):
    """Gives every event to every sink; accepts only what all of them accept."""

    def __init__(self, sinks: Sequence[AuditSink]) -> None:
        self._sinks = tuple(sinks)

    @override
    def accepts(self) -> bool:
        return all(sink.accepts() for sink in self._sinks)

    @override
    def record(self, event: AuditEvent) -> None:
        for sink in self._sinks:
            # No sink is to raise; one that does all the same must not cost the others the event.
            with suppress(Exception):
                sink.record(event)

    @override
    async def start(self) -> None:
        for number, sink in enumerate(self._sinks):
            try:
                await sink.start()
            except BaseException:
                await _close(self._sinks[:number])
                raise

    @override
    async def aclose(self) -> None:
        await _close(self._sinks)


async def _close(sinks: Sequence[AuditSink]) -> None:
    # At once, so that one sink's grace period is not added to another's.
    await asyncio.gather(*(sink.aclose() for sink in sinks), return_exceptions=True)


@final
class ServedApart(AuditSink):
    """Gives events of served secrets to one sink and all others to another.

    What fills the other, or keeps it from being written, neither takes room from the first nor has
    requests refused: `accepts` asks the first alone.
    """

    def __init__(self, served: AuditSink, others: AuditSink) -> None:
        self._served = served
        self._others = others

    @override
    def accepts(self) -> bool:
        return self._served.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        (self._served if event.has_left else self._others).record(event)

    @override
    async def start(self) -> None:
        await self._served.start()
        try:
            await self._others.start()
        except BaseException:
            await self._served.aclose()
            raise

    @override
    async def aclose(self) -> None:
        await asyncio.gather(self._served.aclose(), self._others.aclose(), return_exceptions=True)
