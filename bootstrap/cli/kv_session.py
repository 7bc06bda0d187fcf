"""An open bucket for the `kv` commands, from the same settings as the service's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from adapters.nats_kv.settings import NatsKvSettings
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.nats_kv.writer import NatsKvSecretWriter
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from bootstrap.cli.nats_session import open_nats
from bootstrap.settings import Problem, SettingsError, load_settings
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.key_exchange import XKeyPair


class NatsKvByHand(NatsKvSettings):
    """As the service's, but that nothing is read past the operator's own permissions."""

    direct: ClassVar[bool] = False


@asynccontextmanager
async def open_kv() -> AsyncIterator[tuple[NatsKvSecretStore, NatsKvSecretWriter]]:
    """Connect for the length of a command.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    configure_logging("error", "auto")
    clock = SystemClock()
    settings = load_settings(NatsKvByHand)
    xkey = _encryption_xkey(settings)
    async with open_nats() as client:
        yield (
            NatsKvSecretStore(client=client, config=settings, encryption_xkey=xkey, clock=clock),
            NatsKvSecretWriter(client=client, config=settings, encryption_xkey=xkey, clock=clock),
        )


def _encryption_xkey(settings: NatsKvSettings) -> XKeyPair:
    try:
        return settings.encryption_xkey()
    except PluginError as error:
        problem = Problem(error.setting, error.advice)
    raise SettingsError(problem)
