"""Sums up refusals of one kind beyond a number a second in one event with a count."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from adapters.audit.sink import AuditSink
from adapters.system.cancelling import cancel
from domain.model.audit import AuditEvent, Outcome
from domain.model.opaque import stateful
from domain.model.transport import WORKLOAD_READ, Operation, Requester

if TYPE_CHECKING:
    from ports.clock import Clock

SECONDS: Final = 1.0

MAX_KINDS: Final = 256
"""Kinds counted apart in one second; beyond, those of all accounts count together."""

OTHER: Final = "other"
"""The operation of a summary, where requests named one that there is not."""

_Kind = tuple[str, Outcome, str, "str | None", "str | None"]


@stateful
class _Tally:
    """One kind in one second.

    Attributes:
        recorded: how many events were passed on.
        summed: how many were not, and stand in the summary.
        last: the last of those.
    """

    recorded: int = 0
    summed: int = 0
    last: AuditEvent | None = None


@final
class SummedRefusals(AuditSink):
    """Passes events on to `inner`: all of secrets that were served, and so many others a second.

    Any permitted client can cause refusals as fast as the service works. A kind is an operation, an
    outcome, a reason, an error and, as far as NATS names it, the account that asks. A summary has
    these, the id of the last request that it stands for, and a count. `per_second`: events of one
    kind that are passed on as they are.
    """

    def __init__(self, inner: AuditSink, per_second: int, clock: Clock) -> None:
        self._inner = inner
        self._per_second = per_second
        self._clock = clock
        self._tallies: dict[_Kind, _Tally] = {}
        self._ticking: asyncio.Task[None] | None = None

    @override
    def accepts(self) -> bool:
        return self._inner.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        # As `has_left` says, without a call: nearly every event is of a secret that was served.
        if event.outcome is _ANSWERED and event.caller is not None:
            self._inner.record(event)
            return
        kind = _kind_of(event)
        if kind not in self._tallies and len(self._tallies) >= MAX_KINDS:
            kind = (*kind[:-1], None)
        tally = self._tallies.setdefault(kind, _Tally())
        if tally.recorded < self._per_second:
            tally.recorded += 1
            self._inner.record(event)
            return
        tally.summed += 1
        tally.last = event

    @override
    async def start(self) -> None:
        await self._inner.start()
        self._ticking = asyncio.create_task(self._tick(), name="audit-summaries")

    @override
    async def aclose(self) -> None:
        if self._ticking is not None:
            await cancel((self._ticking,))
            self._ticking = None
        self._sum_up()
        await self._inner.aclose()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(SECONDS)
            self._sum_up()

    def _sum_up(self) -> None:
        tallies, self._tallies = self._tallies, {}
        for kind, tally in tallies.items():
            if tally.last is not None:
                self._inner.record(_summary(kind, tally.last, tally.summed))


def _kind_of(event: AuditEvent) -> _Kind:
    operation = event.operation if event.operation in _OPERATIONS else OTHER
    account = None if event.requester is None else event.requester.account
    return operation, event.outcome, event.reason, event.error, account


def _summary(kind: _Kind, last: AuditEvent, count: int) -> AuditEvent:
    operation, outcome, reason, error, account = kind
    return AuditEvent(
        request_id=last.request_id,
        operation=operation,
        received_at=last.received_at,
        backend=last.backend,
        requester=None if account is None else Requester(account, None),
        time=last.time,
        duration=last.duration,
        outcome=outcome,
        reason=reason,
        error=error,
        advice=last.advice,
        count=count,
    )


_ANSWERED = Outcome.ANSWERED
_OPERATIONS = frozenset({*(operation.value for operation in Operation), WORKLOAD_READ})
