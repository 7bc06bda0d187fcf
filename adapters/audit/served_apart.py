"""Two sinks: one for secrets that were served, one for events that any client can cause."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.audit.sink import AuditSink

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


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
