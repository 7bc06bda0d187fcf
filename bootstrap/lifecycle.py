"""The service from its first connect to its last reply: opens in order, closes in reverse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from adapters.admin_http.address import AdminHttpError
from adapters.audit.sink import AuditSinkError
from adapters.nats.connect_errors import NatsConnectError
from adapters.system.cancelling import cancel
from bootstrap.closing import (
    ANSWERS_SECONDS,
    CLOSING_SECONDS,
    NATS_SECONDS,
    RECORDS_SECONDS,
    Closing,
)
from bootstrap.version import __version__
from bootstrap.weaknesses import warn_of_weaknesses
from domain.use_cases.check_replicas import ReplicaXKey, check_replicas
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from adapters.nats.config import NatsConfig
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.access_parts import AccessParts
    from bootstrap.admin_parts import AdminParts
    from bootstrap.audit_parts import AuditParts
    from bootstrap.change_parts import ChangeParts
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreStack
    from bootstrap.tracing_parts import TracingParts
    from ports.clock import Clock
    from ports.key_exchange import KeyExchange
    from ports.transport import Channel, RequestHandler, Transport

_log = structlog.get_logger()

_REPLICA_SECONDS = 2.0
_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 30.0
_CONNECTION_WATCH_SECONDS = 1.0
_REASONS_NOT_TO_START = (
    AdminHttpError,
    AuditSinkError,
    NatsConnectError,
    StoreMisconfiguredError,
)


class ServiceFailedError(Exception):
    """The service cannot go on; the text says what to do and holds no credential."""


class Connection(Protocol):
    """What the service opens first and closes last: `adapters.nats.connection.NatsConnection`."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Client(Protocol):
    """What tells that the connection is lost for good: `adapters.nats.client.SteadyClient`."""

    @property
    def is_closed(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One replica."""

    settings: Settings
    keys: ServiceKeys
    nats: NatsConfig
    connection: Connection
    client: Client
    channel: Channel
    transport: Transport
    handler: RequestHandler
    stack: StoreStack
    access: AccessParts
    audit: AuditParts
    admin: AdminParts
    changes: ChangeParts
    tracing: TracingParts
    key_exchange: KeyExchange
    clock: Clock
    subjects: SecretsSubjects

    async def run(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Serve until `stop` is set, then answer what is in flight and close.

        A store that cannot be reached is no reason not to start: requests get typed errors, and
        the store is asked again until it answers.

        Args:
            stop: set when it is time to end.
            reload: set whenever files are to be read and opened anew; it is cleared then.

        Raises:
            SettingsError: the access policy file cannot be used; nothing was connected to.
            ServiceFailedError: it could not start, or cannot go on.
        """
        async with AsyncExitStack() as opened:
            try:
                store_answers = await _unless(stop, self._open(opened))
            except _REASONS_NOT_TO_START as error:
                raise ServiceFailedError(str(error)) from None
            if store_answers is None:
                return
            await self._watch(stop, reload, store_answers=store_answers)
            _log.info("service.stopping", grace_seconds=self.settings.shutdown_grace_seconds)
        _log.info("service.stopped")

    async def _open(self, opened: AsyncExitStack) -> bool:
        """Open everything, and return whether the store answers."""
        await self.access.load(required=self.settings.require_access_policy)
        warn_of_weaknesses(self.settings, self.nats)
        closing = Closing(self.clock, self.settings.shutdown_grace_seconds)

        def finally_(part: str, seconds: float, close: Callable[[], Awaitable[None]]) -> None:
            opened.push_async_callback(closing.finish, part, seconds, close)

        # First and last, so that probes are answered all the while.
        finally_("admin_http", CLOSING_SECONDS, self.admin.aclose)
        await self.admin.start()
        # Closed after whatever a request may still do.
        finally_("tracing", CLOSING_SECONDS, self.tracing.aclose)
        self.tracing.start()
        finally_("store", CLOSING_SECONDS, self.stack.close)
        finally_("nats", NATS_SECONDS, self.connection.close)
        await self.connection.open()
        await self._refuse_second_key()
        await self.stack.parts.start()
        store_answers = await self._check_store()
        finally_("records", RECORDS_SECONDS, self._close_records)
        await self.audit.trail.start()
        await self.changes.start()
        finally_("transport", ANSWERS_SECONDS, self._stop_serving)
        await self.transport.start(self.handler)
        self.admin.begin_serving()
        if store_answers:
            self._announce()
        return store_answers

    async def _stop_serving(self) -> None:
        await self.admin.end_serving()
        await self.transport.stop(self.settings.shutdown_grace_seconds)

    async def _close_records(self) -> None:
        # At once: whatever becomes of the notices, the audit trail has its time.
        await asyncio.gather(self.audit.trail.aclose(), self.changes.aclose())

    async def _refuse_second_key(self) -> None:
        mine = self.keys.server.current.public
        match await check_replicas(
            self.channel, self.key_exchange, self.keys.server, _REPLICA_SECONDS
        ):
            case ReplicaXKey.DIFFERENT:
                raise ServiceFailedError(
                    f"Another replica answers {self.subjects.of('server_xkey')} with another "
                    f"server xkey than this one's ({mine}). Hosts keep one key and are served by "
                    "any replica, so requests would fail at random: give all replicas the same "
                    "SERVER_XKEY_SEED or SERVER_XKEY_SEED_FILE, or stop the other replicas first."
                )
            case ReplicaXKey.RETIRED:
                _log.warning(
                    "server_xkey.rotating",
                    server_xkey=mine,
                    meaning="Other replicas still announce a key that is retired here, and cannot "
                    "open what is sealed for the new one.",
                    advice="Restart them with the same seeds soon.",
                )
            case ReplicaXKey.NOBODY | ReplicaXKey.SAME:
                pass

    async def _check_store(self) -> bool:
        try:
            await self.stack.parts.check.check()
        except StoreUnreachableError as error:
            self.admin.store_checked(error)
            _log.warning("service.not_ready", store=self.settings.secret_store, advice=str(error))
            return False
        self.admin.store_checked(None)
        return True

    async def _watch(
        self, stop: asyncio.Event, reload: asyncio.Event, *, store_answers: bool
    ) -> None:
        """Wait until told to stop, or until going on is pointless."""
        watches = [self._watch_connection(), self._watch_reload(reload)]
        if self.access.file is not None:
            watches.append(self.access.file.watch())
        if not store_answers:
            watches.append(self._watch_store())
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(watch) for watch in watches]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failures:
            failure = failures.exceptions[0]
        else:
            return
        if isinstance(failure, StoreMisconfiguredError):
            failure = ServiceFailedError(str(failure))
        raise failure

    async def _watch_connection(self) -> None:
        while not self.client.is_closed:
            await self.clock.sleep(_CONNECTION_WATCH_SECONDS)
        raise ServiceFailedError(
            "The connection to NATS is closed for good. Check the records above, NATS_URL and the "
            "credentials, and start the service again."
        )

    async def _watch_reload(self, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            self.audit.reopen()
            self.stack.parts.reload()
            if self.access.file is not None:
                await self.access.file.reload()

    async def _watch_store(self) -> None:
        pause = _FIRST_RETRY_SECONDS
        while True:
            await self.clock.sleep(pause)
            if await self._check_store():
                self._announce()
                return
            pause = min(pause * 2, _LONGEST_RETRY_SECONDS)

    def _announce(self) -> None:
        _log.info(
            "service.ready",
            version=__version__,
            subjects=self.subjects.every_operation,
            queue_group=self.subjects.queue_group,
            server_xkey=self.keys.server.current.public,
            retired_xkeys=len(self.keys.server.retired),
            store=self.settings.secret_store,
            trusted_issuers=len(self.settings.trusted_issuers),
            authorization_mode=self.settings.authorization_mode,
        )


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, bool]) -> bool | None:
    """Do the work, or give it up and return None as soon as `stop` is set."""
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopping.cancel()
        await cancel({task})
        if not task.cancelled():
            # Asking keeps asyncio from reporting an error that no longer matters.
            task.exception()
