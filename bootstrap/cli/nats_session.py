"""A connection to NATS for the length of a command, from the same settings as the service's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.nats.client import ResilientClient


@asynccontextmanager
async def open_nats() -> AsyncIterator[ResilientClient]:
    """Connect; only the NATS settings are read, so the rest may be missing or wrong.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    from adapters.nats.connection import NatsConnection
    from adapters.nats.settings import NatsSettings
    from adapters.system.clock import SystemClock
    from bootstrap.plugin_contexts import USER_AGENT
    from bootstrap.settings import load_settings

    settings = load_settings(NatsSettings)
    async with NatsConnection(settings, SystemClock(), name=USER_AGENT) as connection:
        yield connection.client
