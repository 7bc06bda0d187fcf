"""One worker as a process, forked from the template with all that it runs on."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.telemetry.log_setup import configure_logging
from bootstrap import main
from bootstrap.containers import Container
from bootstrap.hardening import harden_process
from bootstrap.settings import SettingsError
from bootstrap.workers.lifeline import Lifeline, beat
from bootstrap.workers.supervise import stop_seconds
from bootstrap.workers.worker_config import config_of, read_history
from ports.transport import RequestHandler, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootstrap.lifecycle import Service
    from bootstrap.settings import Configuration
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.transport_plugin import TransportParts


def beating(
    parts: TransportParts, tell_alive: Callable[[bytes], None], clock: Clock
) -> Callable[[], Awaitable[None]]:
    """Show once a second that the event loop turns, from before the first connect on."""
    running: set[asyncio.Task[None]] = set()

    async def opening() -> None:
        # Ends with the event loop: closing may take longer than silence is suffered.
        if not running:
            running.add(asyncio.create_task(beat(tell_alive, clock, parts.problem)))
        await parts.open()

    return opening


class ReportingTransport(Transport):
    """Tells when requests are taken."""

    def __init__(self, inner: Transport, tell_started: Callable[[], None]) -> None:
        self._inner = inner
        self._tell_started = tell_started

    @override
    async def start(self, handler: RequestHandler) -> None:
        await self._inner.start(handler)
        self._tell_started()

    @override
    async def stop(self, grace_seconds: float) -> None:
        await self._inner.stop(grace_seconds)


def load(configuration: Configuration, keys: KeyRing) -> None:
    """Have all modules loaded that a service of this configuration needs, by building one.

    Building opens and starts nothing. What it logs, and what is wrong with the settings, each
    worker says again.
    """
    settings = configuration.service
    configure_logging(settings.log_level, settings.log_format, io.StringIO())
    try:
        with suppress(SettingsError):
            Container(configuration=configuration, keys=keys).service()
    finally:
        # Also where a part fails by a bug: that ends the start, and must be said.
        configure_logging(settings.log_level, settings.log_format)


def work(descriptor: int, configuration: Configuration, keys: KeyRing) -> int:
    """Serve as one worker until a signal to stop, and return the exit code."""
    harden_process(lock_memory=False)
    lifeline = Lifeline(descriptor)
    received = lifeline.receive()
    if not received:
        lifeline.close()
        return main.OK
    own = config_of(configuration, read_history(received))

    def reporting(service: Service) -> Service:
        transport = replace(
            service.transport, open=beating(service.transport, lifeline.tell_alive, service.clock)
        )
        is_front = service.front is service.transport
        front = transport if is_front else service.front
        front = replace(front, transport=ReportingTransport(front.transport, lifeline.tell_started))
        # Where hosts ask both are one: opened twice, it would read one connection twice.
        return replace(service, transport=front if is_front else transport, front=front)

    def start() -> None:
        settings = own.service
        configure_logging(settings.log_level, settings.log_format, worker=own.worker)
        main.harden(settings)
        lifeline.watch(stop_seconds(settings))
        main.serve_one(own, keys, reporting, twice_means_now=False)

    return main.exit_code_of(start)
