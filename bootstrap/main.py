"""The service as a process: `python -m bootstrap.main`.

Exit codes: 0 stopped by a signal, 1 could not start or go on, 2 wrong configuration.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    # As `bootstrap.command` does: no garbage is among what is loaded.
    gc.disable()
    from bootstrap.early_signals import take_early_signals

    take_early_signals()

import bootstrap.lean_imports  # noqa: F401  before whatever else uses those libraries

# isort: split
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from adapters.system.cancelling import cancel
from adapters.system.clock import SystemClock
from adapters.system.service_manager import ServiceManager
from adapters.telemetry.log_setup import configure_logging, log_output
from bootstrap.closing import ServiceFailedError, ServiceMisconfiguredError, WorkersEndedError
from bootstrap.containers import Container
from bootstrap.environment import forget_settings
from bootstrap.hardening import MemoryLock, harden_process
from bootstrap.own_packages import foreign_packages
from bootstrap.server_keys import load_peer_keys, load_server_keys
from bootstrap.settings import Configuration, Settings, SettingsError, load_configuration
from bootstrap.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bootstrap.lifecycle import Service
    from domain.use_cases.key_ring import KeyRing
    from ports.settings import SettingsGroup
    from ports.transport_plugin import TransportParts

OK, FAILED, MISCONFIGURED = 0, 1, 2

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Net, of objects that may refer to others. A request leaves none that only a collection frees,
and has some 60 while it waits: by Python's own 700, a burst is looked through many times."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal to stop, and return the exit code. `argv`: arguments after the program's
    name; only `--version` is known. Everything else is configured by environment variables.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        sys.stdout.write(f"{__version__}\n")
        return OK
    if arguments:
        sys.stderr.write("Configure by environment variables; see docs/settings.md.\n")
        return MISCONFIGURED
    return serve()


def serve(
    run: Callable[[Configuration, ServiceManager], None] | None = None,
    further: Sequence[type[SettingsGroup]] = (),
) -> int:
    """Read the configuration, run what is asked for, and return the exit code.

    Args:
        run: what is run in this process on the configuration; None for one replica that serves
            hosts, or several. Raises as `serve_one`.
        further: groups of settings that `run` needs beside the service's.
    """
    # First of all: until then other processes of this user may read its memory and environment.
    harden_process(lock_memory=False)
    if sys.stderr is None:
        # Started with 2>&-; else some socket would get this descriptor, and with it what is logged.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  as long as it runs

    if advice := foreign_packages():
        sys.stderr.write(advice)
        return MISCONFIGURED

    manager = ServiceManager.take_from(os.environ, SystemClock())

    def start() -> None:
        # What happens before the settings are read is logged as by default.
        configure_logging()
        configuration = load_configuration(further=further)
        settings = configuration.service
        forget_settings(configuration)
        configure_logging(settings.log_level, settings.log_format)
        for name, meant in configuration.misspelt:
            _log.warning(
                "settings.misspelt",
                variable=name,
                advice=f"It is no setting. Did you mean {meant}?",
            )
        harden(settings)
        if problems := configuration.unusable():
            raise SettingsError(*problems)
        (run or _serve_hosts)(configuration, manager)

    return exit_code_of(start)


def _serve_hosts(configuration: Configuration, manager: ServiceManager) -> None:
    keys = load_server_keys(configuration.service)
    if configuration.workers == 1:
        serve_one(configuration, keys, manager=manager)
    else:
        from bootstrap.workers.supervise import supervise  # noqa: PLC0415  with several

        supervise(configuration, keys, manager)


def exit_code_of(work: Callable[[], None]) -> int:
    """Do the work, say what went wrong if something did, and return the exit code."""
    try:
        work()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return MISCONFIGURED
    except ServiceMisconfiguredError as error:
        for advice in error.advices:
            _log.error("service.failed", advice=advice)
        return MISCONFIGURED
    except ServiceFailedError as error:
        _log.error("service.failed", advice=str(error))
        return FAILED
    except WorkersEndedError as error:
        return error.exit_code
    except Exception:  # noqa: BLE001  Python's own last words would hold the exception's text
        _log.exception("service.crashed")
        return FAILED
    return OK


def serve_one(
    configuration: Configuration,
    keys: KeyRing,
    adapt: Callable[[Service], Service] = lambda service: service,
    *,
    manager: ServiceManager | None = None,
    twice_means_now: bool = True,
) -> None:
    """Run one replica until a signal to stop.

    Args:
        adapt: changes the service before it is run.
        twice_means_now: whether a second signal ends the process at once.

    Raises:
        SettingsError: the settings cannot be used.
        ServiceFailedError: it could not start, or cannot go on.
    """
    container = Container(configuration=configuration, keys=keys)
    if manager is not None:
        container.manager.override(manager)
    run_service(adapt(container.service()), twice_means_now=twice_means_now)


def run_front(
    configuration: Configuration,
    manager: ServiceManager,
    build: Callable[[Container], TransportParts],
) -> None:
    """Run a service that takes its work in elsewhere than where hosts ask, until a signal to stop.
    `build`: returns the front, on the container's store, rules and audit trail.

    Raises:
        SettingsError: the settings cannot be used.
        ServiceFailedError: it could not start, or cannot go on.
    """
    container = Container(configuration=configuration, keys=load_peer_keys(configuration.service))
    container.manager.override(manager)
    container.front.override(build(container))
    run_service(container.service())


def run_service(service: Service, *, twice_means_now: bool = True) -> None:
    """Run a service that is built until a signal to stop.

    Raises:
        ServiceFailedError: it could not start, or cannot go on.
    """
    # All of it lives as long as the process: no collection need ever look at it again.
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    asyncio.run(_run(service, twice_means_now=twice_means_now))


def harden(settings: Settings) -> None:
    """Do all the settings ask for to keep memory from a disk, and say what was achieved."""
    done = harden_process(settings.lock_memory)
    as_asked = not settings.lock_memory or done.memory_lock is MemoryLock.LOCKED
    (_log.info if as_asked else _log.warning)("process.hardened", **done.fields())


async def _run(service: Service, *, twice_means_now: bool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_unhandled)
    stop, reload = asyncio.Event(), asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set() and twice_means_now:
            # Twice means now: whatever is in flight is given up.
            os._exit(128 + number)
        _log.info("service.signalled", signal=number.name)
        stop.set()

    def on_hangup() -> None:
        _log.info("service.signalled", signal=signal.SIGHUP.name)
        reload.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    watchdog = asyncio.create_task(service.manager.watchdog())
    try:
        async with log_output().off_the_loop():
            await service.run(stop, reload)
    finally:
        watchdog.cancel()
        # asyncio cancels once what is left, which nats-py may swallow, and would then wait for it.
        await cancel(task for task in asyncio.all_tasks() if task is not asyncio.current_task())


def _log_unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # asyncio's own handler would print reprs of callbacks, tasks and exceptions.
    _log.error("service.unhandled", exc_info=context.get("exception"))


if __name__ == "__main__":
    sys.exit(main())
