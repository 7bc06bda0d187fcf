"""An open bucket for the `kv` commands, from the same settings as the service's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.nats.connection import NatsConnection
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.nats_kv.writer import NatsKvSecretWriter
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from bootstrap import factories
from bootstrap.factories.nats_kv import nats_kv_config
from bootstrap.server_keys import load_encryption_xkey
from bootstrap.settings import NatsSettings, load_settings
from bootstrap.settings.stores import NatsKvSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _KvSettings(NatsKvSettings, NatsSettings):
    """What the commands need; the rest of the service's settings may be missing or wrong."""


@asynccontextmanager
async def open_kv() -> AsyncIterator[tuple[NatsKvSecretStore, NatsKvSecretWriter]]:
    """Connect for the length of a command.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    configure_logging("error", "auto")
    clock = SystemClock()
    settings = load_settings(_KvSettings)
    encryption_xkey = load_encryption_xkey(settings)
    config = replace(nats_kv_config(settings), direct=False)
    async with NatsConnection(factories.nats_config(settings), clock) as connection:
        client = connection.client
        yield (
            NatsKvSecretStore(
                client=client, config=config, encryption_xkey=encryption_xkey, clock=clock
            ),
            NatsKvSecretWriter(
                client=client, config=config, encryption_xkey=encryption_xkey, clock=clock
            ),
        )
