"""Commands with secrets, on a bucket and a nats-server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.command_line import CommandLine
from tests.support.kv_secrets import KvSecrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer


@pytest_asyncio.fixture
async def kv(fresh_nats_server: LocalNatsServer, tmp_path: Path) -> AsyncIterator[KvSecrets]:
    """A bucket that holds `db`; every workload of "shop" may have all of it."""
    async with KvSecrets(fresh_nats_server.url, tmp_path) as secrets:
        await secrets.put("db", "s3cr3t-db-1")
        yield secrets


@pytest.fixture
def command_line(kv: KvSecrets, tmp_path: Path) -> CommandLine:
    return CommandLine({"PATH": "/usr/bin:/bin", **kv.settings}, tmp_path)
