"""A bucket of the test's own on the session's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats
import pytest
import pytest_asyncio

from adapters.crypto.xkeys import SodiumXKeyPair
from tests.integration.nats_kv.kv_under_test import Kv
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client


@pytest_asyncio.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def kv(client: Client, subject_prefix: str) -> Kv:
    """A bucket that does not exist yet."""
    return Kv(client, kv_settings(bucket=subject_prefix), SodiumXKeyPair.generate())
