"""Settings of a service on the session's server, a host to ask it, and ways to store secrets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats_kv.operating import NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from bootstrap.settings.variables import Variables
from tests.integration.service.looking import Look, looking
from tests.support.command_line import CommandLine
from tests.support.environments import (
    local_infisical_environment,
    nats_kv_environment,
    new_xkey_seed,
)
from tests.support.host import Host, connected_host
from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def nats_kv_settings(nats_url: str, subject_prefix: str, tmp_path: Path) -> dict[str, str]:
    """A service on a bucket of the test's own."""
    return nats_kv_environment(tmp_path) | {
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "NATS_KV_BUCKET": subject_prefix,
    }


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Look:
    return looking(monkeypatch, tmp_path)


@pytest.fixture
def seeded_settings(nats_kv_settings: dict[str, str]) -> dict[str, str]:
    """A service whose seeds stand in variables, on a bucket that does not exist."""
    seeds = {"ENCRYPTION_XKEY_SEED": new_xkey_seed(), "SERVER_XKEY_SEED": new_xkey_seed()}
    files = {"ENCRYPTION_XKEY_SEED_FILE": "", "SERVER_XKEY_SEED_FILE": ""}
    return nats_kv_settings | files | seeds


@pytest.fixture
def command_line(nats_kv_settings: dict[str, str], tmp_path: Path) -> CommandLine:
    return CommandLine(nats_kv_settings, tmp_path)


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        yield server


@pytest.fixture
def infisical_settings(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    """A service on the local Infisical."""
    return local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path)


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix) as connected:
        yield connected


@asynccontextmanager
async def open_writer(settings: dict[str, str]) -> AsyncIterator[NatsKvSecretWriter]:
    """Write into the bucket that the settings name, with the service's own encryption key."""
    kv = Variables(settings).load(NatsKvSettings)
    clock = SystemClock()
    async with NatsConnection(NatsSettings(urls=(settings["NATS_URL"],)), clock) as connection:
        yield NatsKvSecretWriter(
            client=connection.client,
            config=kv,
            encryption_xkey=kv.encryption_xkey(),
            clock=clock,
        )


@pytest_asyncio.fixture
async def writer(nats_kv_settings: dict[str, str]) -> AsyncIterator[NatsKvSecretWriter]:
    async with open_writer(nats_kv_settings) as opened:
        yield opened
