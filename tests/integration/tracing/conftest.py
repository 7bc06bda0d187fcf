"""A collector, and services that send it their traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.environments import local_infisical_environment
from tests.support.host import Host, connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.otlp_collector import OtlpCollector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[OtlpCollector]:
    async with OtlpCollector() as listening:
        yield listening


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        yield server


@pytest.fixture
def untraced(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    """A service on the local Infisical."""
    return local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path)


@pytest.fixture
def traced(untraced: dict[str, str], collector: OtlpCollector) -> dict[str, str]:
    """The same, with traces."""
    return untraced | {"TRACES_ENDPOINT": collector.endpoint}


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix) as connected:
        yield connected
