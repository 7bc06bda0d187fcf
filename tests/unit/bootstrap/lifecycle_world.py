"""Everything around one service, as fakes: what they open and close is noted in order."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dependency_injector import providers
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.telemetry.log_setup import configure_logging
from bootstrap.containers import Container
from domain.use_cases.key_ring import KeyRing
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from ports.store_plugin import StoreParts
from ports.transport_plugin import TransportFailedError, TransportParts
from tests.fakes.audit_sink import FakeAuditSink
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck
from tests.fakes.transport import FakeChannel, FakeTransport
from tests.support.environments import configuration, infisical_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bootstrap.lifecycle import Service
    from ports.transport import RequestHandler


UNREACHABLE = StoreUnreachableError("The store is away; check it.")
MISCONFIGURED = StoreMisconfiguredError("The secret is wrong; check it.")


class FakeConnection:
    """A connection that opens, fails or takes forever, as a test says."""

    def __init__(self, events: list[str]) -> None:
        self.is_closed = False
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._events = events

    async def open(self) -> None:
        self._events.append("connection opened")
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self._events.append("connection closed")

    async def watch(self, clock: FakeClock) -> None:
        """End as a transport does that is lost for good."""
        while not self.is_closed:
            await clock.sleep(1)
        raise TransportFailedError("The connection is closed for good.")


class RecordingTransport(FakeTransport):
    """Notes when it starts and stops."""

    def __init__(self, clock: FakeClock, events: list[str]) -> None:
        super().__init__(clock)
        self._events = events

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._events.append("transport started")
        await super().start(handler)

    @override
    async def stop(self, grace_seconds: float) -> None:
        self._events.append(f"transport stopped within {grace_seconds:g}")
        await super().stop(grace_seconds)


class FakeListener:
    """An admin HTTP that starts and ends, or does not, as a test says."""

    def __init__(self, events: list[str]) -> None:
        self.failure: Exception | None = None
        self._events = events

    async def start(self) -> None:
        self._events.append("admin started")
        if self.failure is not None:
            raise self.failure

    async def aclose(self) -> None:
        self._events.append("admin closed")


class Audits:
    """An audit trail of one sink."""

    def __init__(self, trail: FakeAuditSink) -> None:
        self.trail = trail
        self.reopen = trail.reopen


class World:
    """Everything around one service."""

    def __init__(self, *checks: StoreMisconfiguredError | StoreUnreachableError | None) -> None:
        self.events: list[str] = []
        self.log = io.StringIO()
        configure_logging("debug", "json", self.log)
        self.clock = FakeClock()
        self.connection = FakeConnection(self.events)
        self.transport = RecordingTransport(self.clock, self.events)
        self.others = FakeTransport(self.clock)
        self.check = FakeStoreCheck(checks or (None,))
        self.keys = KeyRing(SodiumXKeyPair.generate(), (SodiumXKeyPair.generate(),))
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        self.audit = FakeAuditSink(self.events)
        self.listener = FakeListener(self.events)
        self.store = FakeSecretStore()
        self.variables: dict[str, Any] = infisical_environment()
        self.built: Service | None = None
        self.store_ran_after = ""
        self.reload_failure: Exception | None = None

    def reload_store(self) -> None:
        """Note it, then fail if a test says so."""
        self.events.append("store reloaded")
        if self.reload_failure is not None:
            raise self.reload_failure

    def service(self) -> Service:
        """Build the service with all that the world brings; once."""
        if self.built is not None:
            return self.built
        container = Container(configuration=configuration(**self.variables), keys=self.keys)
        container.clock.override(providers.Object(self.clock))
        container.transport.override(providers.Object(self.transport_parts()))
        container.store.override(providers.Object(self.store_parts()))
        container.audits.override(providers.Object(Audits(self.audit)))
        service: Service = container.service()
        service.admin._listener = self.listener  # type: ignore[assignment]  # a fake of it
        self.built = service
        return service

    def transport_parts(self) -> TransportParts:
        return TransportParts(
            self.transport,
            FakeChannel(self.others),
            open=self.connection.open,
            close=self.connection.close,
            run=lambda: self.connection.watch(self.clock),
            announced={"subjects": "a.subject.>"},
            address_of=lambda operation: f"a.subject.{operation}",
        )

    def store_parts(self) -> StoreParts:
        return StoreParts(
            self.store,
            self.check,
            run=self._run_store,
            close=self._close_store,
            reload=self.reload_store,
        )

    async def _run_store(self) -> None:
        self.store_ran_after = self.events[-1]
        await asyncio.Event().wait()

    async def _close_store(self) -> None:
        self.events.append("store closed")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run the service; leaving stops it."""
        task = asyncio.create_task(self.service().run(self.stop, self.reload))
        yield task
        self.stop.set()
        await asyncio.wait({task})

    async def until(self, holds: Callable[[], bool], seconds_a_turn: float = 0) -> None:
        """Let the loop turn, and time pass, until something is so."""
        for _ in range(1000):
            if holds():
                return
            self.clock.advance(seconds_a_turn)
            await asyncio.sleep(0)
        raise AssertionError("it never came to that")

    def logged(self, event: str) -> list[dict[str, Any]]:
        records = map(json.loads, self.log.getvalue().splitlines())
        return [record for record in records if record["event"] == event]
