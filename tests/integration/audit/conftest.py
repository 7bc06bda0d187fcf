"""What stands beside the audit stream of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.audit.stream_config import AuditStreamConfig
from tests.integration.audit.audit_stream_rig import LIMITS, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer


@pytest_asyncio.fixture
async def client(nats_server: LocalNatsServer) -> AsyncIterator[Client]:
    connection = await connect(nats_server)
    yield connection
    await connection.close()


@pytest.fixture
def config(subject_prefix: str) -> AuditStreamConfig:
    """A stream that does not exist yet."""
    return AuditStreamConfig(subject_prefix, f"{subject_prefix}.audit.v1", limits=LIMITS)
