"""An open bucket for the `kv` commands, from the same settings as the service's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from typing_extensions import override

from adapters.nats_kv.calls import VersionConflictError
from adapters.nats_kv.operating import (
    NatsKvCatalog,
    NatsKvSecretWriter,
    OtherKeyError,
)
from adapters.nats_kv.settings import NatsKvSettings
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import FAILED, MISUSED, explained, guarded_run
from bootstrap.settings import Problem, SettingsError, load_settings
from domain.model.errors import InvalidRequest, SecretsError
from ports.plugin import PluginError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from ports.key_exchange import XKeyPair

_Result = TypeVar("_Result")


class NatsKvByHand(NatsKvSettings):
    """As the service's, but that nothing is created which a mistyped setting did not find.

    Nothing is read past the operator's own permissions either.
    """

    create_bucket: ClassVar[bool] = False
    create_seed_file: ClassVar[bool] = False
    direct: ClassVar[bool] = False


class NatsKvWithNewBucket(NatsKvByHand):
    """For an operator who asks for the bucket to be created."""

    create_bucket: ClassVar[bool] = True


class NatsKvWithoutKey(NatsKvByHand):
    """For commands that touch no value."""

    @override
    def unusable(self) -> Iterable[Problem]:
        return ()

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        return ()


@asynccontextmanager
async def open_kv(
    *, create_bucket: bool = False
) -> AsyncIterator[tuple[NatsKvSecretStore, NatsKvSecretWriter]]:
    """Connect for the length of a command.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    configure_logging("error", "auto")
    clock = SystemClock()
    settings = load_settings(NatsKvWithNewBucket if create_bucket else NatsKvByHand)
    xkey = _encryption_xkey(settings)
    async with open_nats() as client:
        yield (
            NatsKvSecretStore(client=client, config=settings, encryption_xkey=xkey, clock=clock),
            NatsKvSecretWriter(client=client, config=settings, encryption_xkey=xkey, clock=clock),
        )


@asynccontextmanager
async def open_catalog() -> AsyncIterator[NatsKvCatalog]:
    """Connect for the length of a command that needs no key.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    configure_logging("error", "auto")
    settings = load_settings(NatsKvWithoutKey)
    async with open_nats() as client:
        yield NatsKvCatalog(client=client, config=settings, clock=SystemClock())


def _encryption_xkey(settings: NatsKvSettings) -> XKeyPair:
    try:
        return settings.encryption_xkey()
    except PluginError as error:
        raise SettingsError(Problem(error.setting, error.advice)) from None


def values_run(
    command: Callable[[NatsKvSecretStore, NatsKvSecretWriter], Awaitable[_Result]],
    *,
    create_bucket: bool = False,
) -> _Result:
    """Run what reads or writes values, and so needs the key."""

    async def work() -> _Result:
        async with open_kv(create_bucket=create_bucket) as (reader, writer):
            return await command(reader, writer)

    return guarded_run(work, _told)


def catalog_run(command: Callable[[NatsKvCatalog], Awaitable[_Result]]) -> _Result:
    """Run what needs no key."""

    async def work() -> _Result:
        async with open_catalog() as catalog:
            return await command(catalog)

    return guarded_run(work, _told)


def _told(error: Exception) -> tuple[str, int]:
    if isinstance(error, (StoreMisconfiguredError, InvalidRequest)):
        return str(error), MISUSED
    if isinstance(error, OtherKeyError):
        return f"{error} --force stores the value all the same.", FAILED
    if isinstance(error, (SecretsError, VersionConflictError, StoreUnreachableError)):
        return str(error), FAILED
    return explained(error)
