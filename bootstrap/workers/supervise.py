"""The service as several processes, seen from the one that was started."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import structlog

from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import log_output
from bootstrap.closing import CLOSING_SECONDS, WorkersEndedError
from bootstrap.hardening import adopts_orphans
from bootstrap.workers.supervisor import FAILED, Supervisor
from bootstrap.workers.template import fork_template
from bootstrap.workers.templates import Templates
from bootstrap.workers.worker_config import write_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.system.service_manager import ServiceManager
    from bootstrap.settings import Configuration, Settings
    from bootstrap.workers.process import WorkerProcess
    from bootstrap.workers.template import TemplateEnds
    from bootstrap.workers.worker_config import RestartHistory
    from domain.use_cases.key_ring import KeyRing

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_EXIT_SECONDS = 1.0
"""For what Python itself does at a process's end."""

_TEMPLATE_GONE = (
    "No process is left that workers could be forked from, so they are stopped. Mostly the system "
    "ends those for want of memory: look for it in the system's log (dmesg) or the container's "
    "last state, give it more memory or lower WORKERS, then start the service again."
)

_log = structlog.get_logger()


def stop_seconds(settings: Settings) -> float:
    """Return how long a worker may take to stop before it is ended by force."""
    return settings.shutdown_grace_seconds + CLOSING_SECONDS + _EXIT_SECONDS


def supervise(configuration: Configuration, keys: KeyRing, manager: ServiceManager) -> None:
    """Run the workers until a signal to stop. `manager`: hears of all workers together.

    Raises:
        WorkersEndedError: a worker ended by itself, or did not stop in time.
    """
    from bootstrap.workers import worker  # noqa: PLC0415  it imports this module

    given = configuration.resolved()
    worker.load(given, keys)
    # A second one only where the workers of the first would become children of this process.
    count = 2 if adopts_orphans() else 1
    templates = [
        fork_template(lambda descriptor: worker.work(descriptor, given, keys)) for _ in range(count)
    ]
    code = asyncio.run(_supervise(given, manager, templates))
    if code:
        raise WorkersEndedError(code)


async def _supervise(
    configuration: Configuration, manager: ServiceManager, ends: Sequence[TemplateEnds]
) -> int:
    async def start(history: RestartHistory) -> WorkerProcess:
        return await templates.start(write_history(history))

    def on_template_gone() -> None:
        _log.error("workers.failed", advice=_TEMPLATE_GONE)
        forced.append(FAILED)
        supervisor.stop()

    supervisor = Supervisor(
        configuration.workers,
        start,
        SystemClock(),
        stop_seconds(configuration.service),
        all_started=lambda: manager.ready("All workers take requests"),
        status=manager.status,
        stopping=manager.stopping,
        starting=manager.still_starting,
    )
    templates = Templates(ends, on_template_gone)
    received: list[signal.Signals] = []
    forced: list[int] = []

    def on_stop(number: signal.Signals) -> None:
        _log.info("service.signalled", signal=number.name)
        received.append(number)
        if len(received) == 1:
            supervisor.stop()
        else:
            # Twice means now: whatever is in flight is given up.
            forced.append(128 + number)
            supervisor.kill()

    def on_hangup() -> None:
        _log.info("service.signalled", signal=signal.SIGHUP.name)
        supervisor.reload()
        if supervisor.all_started:
            # Each worker reads its files by itself and serves meanwhile.
            manager.reloading()
            manager.ready()

    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, on_stop, number)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    watchdog = asyncio.create_task(manager.watchdog())
    try:
        async with log_output().off_the_loop():
            code = await supervisor.run()
    finally:
        watchdog.cancel()
        await templates.close()
    return forced[0] if forced else code
