"""A changed secret: the workloads that hold it are stopped and started, one at a time."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.system.cancelling import cancel
from adapters.wasmcloud2.answers import read_status
from adapters.wasmcloud2.filling import FillRefusedError
from adapters.wasmcloud2.message import LIVES, NOT_FOUND, RUNNING, START, STATUS, STOP, subject_of
from adapters.wasmcloud2.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.wasmcloud2.filling import Filling, Given, HeldWorkloads, Locate, Running
    from adapters.wasmcloud2.message import RelayFigures, WorkloadStatus
    from adapters.wasmcloud2.side import Requests
    from domain.model.selection import Selection
    from ports.clock import Clock

ASK_SECONDS: Final = 10.0
START_SECONDS: Final = 120.0
"""A host answers once it has pulled and compiled the component."""

TRIES: Final = 5
"""Of a start after a stop; what is running down may have its id for a moment still."""

PAUSE_SECONDS: Final = 1.0

FINISH_SECONDS: Final = 5.0
"""For a roll under way when the relay is to end."""

_log = structlog.get_logger()


@final
class Rolls:
    """Rolls workloads of this replica on notices of changes.

    A workload is rolled only if the host says that it runs, if every secret of it can be read, and
    if one of them has another value than the one that it was started with.

    Args:
        held: what runs with secrets of this replica.
        locate: where a reference leads.
    """

    def __init__(
        self,
        held: HeldWorkloads,
        requests: Requests,
        filling: Filling,
        locate: Locate,
        clock: Clock,
        *,
        figures: RelayFigures,
    ) -> None:
        self._held = held
        self._requests = requests
        self._filling = filling
        self._locate = locate
        self._clock = clock
        self._figures = figures
        self._waiting: dict[Running, None] = {}
        self._arrived = asyncio.Event()

    def changed(self, selection: Selection) -> None:
        """Take a notice; workloads that hold what is selected are looked at in their turn."""
        for running in self._held.holding(selection, self._locate):
            self._waiting[running] = None
        if self._waiting:
            self._arrived.set()

    async def run(self) -> None:
        """Roll whatever is to be rolled, until cancelled."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                running = next(iter(self._waiting))
                # A notice that comes from now on is about a later change.
                del self._waiting[running]
                try:
                    await self._look_at(running)
                except Exception as error:  # noqa: BLE001  the next workload's turn must come
                    self._fail(running, None, f"it failed unexpectedly ({type(error).__name__})")
            self._arrived.clear()

    async def _look_at(self, running: Running) -> None:
        given = self._held.find(running)
        if given is None:
            return
        status = await self._ask(running, STATUS)
        if status is None or status.state not in LIVES:
            if status is not None:
                self._held.forget(running)
            return
        try:
            fresh = await self._filling(given.start)
        except FillRefusedError as error:
            # Stopped now, it would not come back; and stopping does not take a value back.
            _log.warning("relay.roll_refused", **_named(running, given), reason=error.reasons[0])
            return
        if fresh.values != given.values and self._held.find(running) is given:
            await self._to_its_end(self._roll(running, given, fresh))

    async def _to_its_end(self, roll: Coroutine[None, None, None]) -> None:
        """Roll; where the relay is to end meanwhile, for some seconds more: then this was the last.

        A workload that is stopped and not started again would stay down.
        """
        task = asyncio.create_task(roll)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with self._clock.timeout_at(self._clock.monotonic() + FINISH_SECONDS):
                    await asyncio.wait({task})
            await cancel({task})
            raise

    async def _roll(self, running: Running, given: Given, fresh: Given) -> None:
        _log.info("relay.rolling", **_named(running, given))
        stopped = await self._ask(running, STOP)
        if stopped is None:
            self._fail(running, given, "the host did not answer the stop")
            return
        message = "the host did not answer the start"
        for attempt in range(TRIES):
            if attempt:
                await self._clock.sleep(PAUSE_SECONDS)
            status = await self._started(running, fresh)
            if status is not None and status.state in LIVES:
                self._held.keep(running, fresh)
                self._figures.rolled += 1
                _log.info("relay.rolled", **_named(running, given), state=status.state)
                if status.state != RUNNING:
                    await self._settle(running)
                return
            if status is not None:
                values = (*fresh.plain().values(), *given.plain().values())
                message = Redaction(values).clear(status.message)
        self._held.forget(running)
        self._fail(running, given, message)

    async def _settle(self, running: Running) -> None:
        """Wait until a workload that starts runs or has failed, before the next one is stopped."""
        for _ in range(round(START_SECONDS / PAUSE_SECONDS)):
            status = await self._ask(running, STATUS)
            if status is None or status.state in {RUNNING, NOT_FOUND} or status.state not in LIVES:
                return
            await self._clock.sleep(PAUSE_SECONDS)

    async def _started(self, running: Running, fresh: Given) -> WorkloadStatus | None:
        subject = subject_of(running.host, START)
        answer = await self._requests.ask(subject, fresh.filled(), START_SECONDS)
        return None if answer is None else read_status(answer)

    async def _ask(self, running: Running, what: str) -> WorkloadStatus | None:
        body = json.dumps({"workloadId": running.workload_id}).encode()
        answer = await self._requests.ask(subject_of(running.host, what), body, ASK_SECONDS)
        return None if answer is None else read_status(answer)

    def _fail(self, running: Running, given: Given | None, message: str) -> None:
        self._figures.rolls_failed += 1
        _log.error("relay.roll_failed", **_named(running, given), message=message)


def _named(running: Running, given: Given | None) -> dict[str, str]:
    names = {"host": running.host, "workload_id": running.workload_id}
    if given is None:
        return names
    workload = given.workload
    return names | {"namespace": workload.namespace, "workload": workload.name}
