"""A service on a local Infisical, and a crowd of hosts before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.integration.faults.load import Crowd, crowd
from tests.support.environments import local_infisical_environment
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
        **local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path),
        "CACHE_TTL_SECONDS": "0",
        "REQUEST_TIMEOUT_SECONDS": "3",
    }


@pytest_asyncio.fixture
async def hosts(nats_url: str, subject_prefix: str) -> AsyncIterator[Crowd]:
    async with crowd(nats_url, subject_prefix) as connected:
        yield connected
