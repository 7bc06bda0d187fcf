"""An open bucket for the `kv` commands, from the same settings as the service's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from adapters.nats_kv.operating import NatsKvCatalog, NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from bootstrap.cli.nats_session import open_nats
from bootstrap.settings import Problem, SettingsError, load_settings
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from ports.key_exchange import XKeyPair


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
        problem = Problem(error.setting, error.advice)
    raise SettingsError(problem)
