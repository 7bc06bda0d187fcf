"""Two replicas on one volume, an Infisical, and the command line beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.command_line import CommandLine
from tests.support.environments import local_infisical_environment
from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        server.model.put("KEY", "value")
        yield server


@pytest.fixture
def replica_settings(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    return local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path)


@pytest.fixture
def command_line(nats_url: str, subject_prefix: str, tmp_path: Path) -> CommandLine:
    settings = {
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "SERVER_XKEY_SEED_FILE": str(tmp_path / "server.seed"),
    }
    return CommandLine(settings, tmp_path)
