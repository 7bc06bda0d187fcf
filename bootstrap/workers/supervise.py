"""The service as several processes, seen from the one that was started."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import structlog

from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import log_output
from bootstrap.closing import CLOSING_SECONDS
from bootstrap.workers.process import WorkerProcess, start_child
from bootstrap.workers.supervisor import Supervisor
from bootstrap.workers.worker_config import config_of, with_keys, write_config

if TYPE_CHECKING:
    from adapters.system.service_manager import ServiceManager
    from bootstrap.settings import Configuration, Settings
    from bootstrap.workers.restart_history import RestartHistory
    from domain.use_cases.key_ring import KeyRing

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_EXIT_SECONDS = 1.0
"""For what Python itself does at a process's end."""

_log = structlog.get_logger()


def stop_seconds(settings: Settings) -> float:
    """Return how long a worker may take to stop before it is ended by force."""
    return settings.shutdown_grace_seconds + CLOSING_SECONDS + _EXIT_SECONDS


class WorkersEndedError(Exception):
    """The workers ended with something else than 0; their own records say why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def supervise(configuration: Configuration, keys: KeyRing, manager: ServiceManager) -> None:
    """Run the workers until a signal to stop.

    Args:
        configuration: what they run on.
        keys: the server's.
        manager: hears of all workers together.

    Raises:
        WorkersEndedError: a worker ended by itself, or did not stop in time.
    """
    code = asyncio.run(_supervise(with_keys(configuration, keys), manager))
    if code:
        raise WorkersEndedError(code)


async def _supervise(configuration: Configuration, manager: ServiceManager) -> int:
    async def start(history: RestartHistory) -> WorkerProcess:
        line = write_config(config_of(configuration, history))
        return await start_child(history.number, line)

    supervisor = Supervisor(
        configuration.workers,
        start,
        SystemClock(),
        stop_seconds(configuration.service),
        all_started=lambda: manager.ready("All workers take requests"),
        status=manager.status,
        stopping=manager.stopping,
    )
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
    return forced[0] if forced else code
