"""A service of two workers on the session's nats-server, with an Infisical beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.environments import local_infisical_environment
from tests.support.host import Host, connected_host
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
def two_workers(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    """Settings of a service with two workers."""
    return {
        "WORKERS": "2",
        **local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path),
    }


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix) as connected:
        yield connected
