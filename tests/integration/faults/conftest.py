"""A service on a local Infisical, and a crowd of hosts before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.integration.faults.load import Crowd, crowd
from tests.support.infisical_model import CLIENT_ID, CLIENT_SECRET, PROJECT_ID
from tests.support.infisical_server import InfisicalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        yield server


@pytest.fixture
def settings(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    """A service that asks Infisical for every answer, and takes 3 seconds at most."""
    return {
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "SERVER_XKEY_SEED_FILE": str(tmp_path / "server.seed"),
        "INFISICAL_BASE_URL": infisical.url,
        "INFISICAL_CLIENT_ID": CLIENT_ID,
        "INFISICAL_CLIENT_SECRET": CLIENT_SECRET,
        "INFISICAL_PROJECT_ID": PROJECT_ID,
        "CACHE_TTL_SECONDS": "0",
        "REQUEST_TIMEOUT_SECONDS": "3",
    }


@pytest_asyncio.fixture
async def hosts(nats_url: str, subject_prefix: str) -> AsyncIterator[Crowd]:
    async with crowd(nats_url, subject_prefix) as connected:
        yield connected
