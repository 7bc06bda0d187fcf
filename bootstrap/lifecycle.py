"""The service from its first connect to its last reply: opens in order, closes in reverse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from adapters.admin_http.address import AdminHttpError
from adapters.audit.sink import AuditSinkError
from bootstrap.closing import (
    ANSWERS_SECONDS,
    CLOSING_SECONDS,
    RECORDS_SECONDS,
    TRANSPORT_SECONDS,
    Closing,
    ServiceMisconfiguredError,
    awaited,
    caught,
    failure_of,
    unless,
)
from bootstrap.retrying import open_patiently, retry_pauses
from bootstrap.security_warnings import warn_of_weaknesses
from bootstrap.server_keys import refuse_second_key
from bootstrap.version import __version__
from domain.model.opaque import opaque
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from ports.transport_plugin import TransportFailedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from adapters.change_notice.notices import ChangeNotices
    from adapters.system.lateness import LoopLateness
    from adapters.system.service_manager import ServiceManager
    from bootstrap.access import AccessControl
    from bootstrap.admin import Admin
    from bootstrap.audit_trails import AuditTrails
    from bootstrap.retrying import SupervisedTask
    from bootstrap.settings import Configuration
    from bootstrap.store_pipeline import StorePipeline
    from bootstrap.tracing import Tracing
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.key_exchange import KeyExchange
    from ports.transport import RequestHandler
    from ports.transport_plugin import TransportParts

_log = structlog.get_logger()


@opaque
class Service:
    """One replica.

    Attributes:
        transport: connects to the other replicas, and to what stores and the audit trail share.
        front: takes the work in: the transport itself where hosts ask, another where this process
            reads secrets for workloads.
    """

    configuration: Configuration
    keys: KeyRing
    transport: TransportParts
    front: TransportParts
    handler: RequestHandler
    pipeline: StorePipeline
    store_task: SupervisedTask
    recheck_task: SupervisedTask
    access: AccessControl
    audits: AuditTrails
    admin: Admin
    notices: ChangeNotices
    tracing: Tracing
    key_exchange: KeyExchange
    clock: Clock
    lateness: LoopLateness
    manager: ServiceManager

    async def run(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Serve until `stop` is set, then answer what is in flight and close.

        A store that cannot be reached is no reason not to start: requests get typed errors, and
        the store is asked again until it answers.

        Files are read and opened again whenever `reload` is set; it is cleared then.

        Raises:
            SettingsError: the access policy file cannot be used; nothing was connected to.
            ServiceMisconfiguredError: what is configured cannot work.
            ServiceFailedError: it could not start, or cannot go on.
        """
        async with AsyncExitStack() as opened:
            self.lateness.start()
            opened.callback(self.lateness.stop)
            try:
                store_answers = await unless(stop, self._open(opened))
            except (AdminHttpError, TransportFailedError) as error:
                raise failure_of(error) from None
            if store_answers is None:
                return
            try:
                await self._watch(stop, reload, store_answers=store_answers)
            finally:
                self.manager.stopping()
            _log.info("service.stopping", grace_seconds=self._grace_seconds)
        _log.info("service.stopped")

    async def _open(self, opened: AsyncExitStack) -> bool:
        """Open everything, and return whether the store answers."""
        await self.access.load()
        warn_of_weaknesses(self.configuration, self.pipeline.parts)
        closing = Closing(self.clock, self._grace_seconds)

        def finally_(part: str, seconds: float, close: Callable[[], Awaitable[None]]) -> None:
            opened.push_async_callback(closing.finish, part, seconds, close)

        # First and last, so that probes are answered all the while.
        finally_("admin_http", CLOSING_SECONDS, self.admin.aclose)
        await self.admin.start()
        # Closed after whatever a request may still do.
        finally_("tracing", CLOSING_SECONDS, self.tracing.aclose)
        self.tracing.start()
        finally_("store", CLOSING_SECONDS, self.pipeline.aclose)
        finally_("transport", TRANSPORT_SECONDS, self.transport.close)
        await open_patiently(self.transport, self.clock, self.manager)
        if self._serves_hosts:
            await refuse_second_key(self.transport, self.keys, self.key_exchange)
        else:
            finally_("front", TRANSPORT_SECONDS, self.front.close)
            await open_patiently(self.front, self.clock, self.manager)
        finally_("store_task", RECORDS_SECONDS, self.store_task.aclose)
        self.store_task.start()
        finally_("records", RECORDS_SECONDS, self._close_records)
        store_answers = await self._check_store_and_trail()
        await self.notices.start(self.pipeline.forget)
        finally_("recheck", RECORDS_SECONDS, self.recheck_task.aclose)
        self.recheck_task.start()
        finally_("requests", ANSWERS_SECONDS, self._stop_serving)
        await self.front.transport.start(self.handler)
        self.admin.begin_serving()
        if store_answers:
            self._announce()
        else:
            self.manager.ready("Takes requests; the store does not answer, see the log")
        return store_answers

    async def _stop_serving(self) -> None:
        await self.admin.end_serving()
        await self.front.transport.stop(self._grace_seconds)

    async def _close_records(self) -> None:
        # At once: whatever becomes of the notices, the audit trail has its time.
        await asyncio.gather(self.audits.trail.aclose(), self.notices.aclose())

    async def _check_store_and_trail(self) -> bool:
        """Check both, so that what is wrong with either is said in one start."""
        outcomes = [
            await caught(self._check_store(), StoreMisconfiguredError),
            await caught(self.audits.trail.start(), AuditSinkError),
        ]
        if problems := [str(error) for error in outcomes if isinstance(error, Exception)]:
            raise ServiceMisconfiguredError(*problems)
        return outcomes[0] is True

    async def _check_store(self) -> bool:
        try:
            await self.pipeline.parts.check.check()
        except StoreUnreachableError as error:
            self.admin.store_checked(error)
            _log.warning("service.not_ready", store=self._store, advice=str(error))
            return False
        self.admin.store_checked(None)
        return True

    async def _watch(
        self, stop: asyncio.Event, reload: asyncio.Event, *, store_answers: bool
    ) -> None:
        """Wait for a signal to stop, or until going on is pointless."""
        watches: list[Callable[[], Awaitable[None]]] = [lambda: self._watch_reload(reload)]
        parts = (self.transport,) if self._serves_hosts else (self.transport, self.front)
        watches += [part.run for part in parts if part.run is not None]
        if self.access.file is not None:
            watches.append(self.access.file.watch)
        if not store_answers:
            watches.append(self._watch_store)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(awaited(watch)) for watch in watches]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failures:
            failure = failures.exceptions[0]
        else:
            return
        raise failure_of(failure)

    async def _watch_reload(self, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            self.manager.reloading()
            self.audits.reopen()
            try:
                self.pipeline.parts.reload()
            except Exception:  # noqa: BLE001  requests are answered all the same
                _log.exception("store.reload_failed", store=self._store)
            await self.access.reload()
            self.manager.ready()

    async def _watch_store(self) -> None:
        for pause in retry_pauses():
            await self.clock.sleep(pause)
            if await self._check_store():
                self._announce()
                return

    def _announce(self) -> None:
        self.manager.ready("Takes requests; the store answers")
        _log.info(
            "service.ready",
            version=__version__,
            transport=self.configuration.service.transport,
            **self.front.announced,
            **self._announced_keys(),
            store=self._store,
            **self.access.in_force(),
        )

    def _announced_keys(self) -> Mapping[str, object]:
        if not self._serves_hosts:
            return {}
        return {"server_xkey": self.keys.current.public, "retired_xkeys": len(self.keys.retired)}

    @property
    def _serves_hosts(self) -> bool:
        return self.front is self.transport

    @property
    def _store(self) -> str:
        return self.configuration.store.plugin.name

    @property
    def _grace_seconds(self) -> float:
        return self.configuration.service.shutdown_grace_seconds
