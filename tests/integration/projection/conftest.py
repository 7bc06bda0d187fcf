"""Agents on a bucket and a nats-server of the test's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer


@pytest_asyncio.fixture
async def kv(fresh_nats_server: LocalNatsServer, tmp_path: Path) -> AsyncIterator[KvSecrets]:
    """A bucket that holds `db` and `token`; every workload of "shop" may have all of it."""
    async with KvSecrets(fresh_nats_server.url, tmp_path) as secrets:
        await secrets.put("db", "s3cr3t-db-1")
        await secrets.put("token", b"\xff\x00s3cr3t\n")
        yield secrets


class Projection:
    """One directory for one workload, and the agents that project it.

    Attributes:
        path: of the directory.
        config: of the configuration file.
    """

    def __init__(self, kv: KvSecrets, folder: Path) -> None:
        self._kv = kv
        self._folder = folder
        self.path = folder / "projected"
        self.config = folder / "project.yaml"
        self.configure()

    def configure(self, *, of_directory: dict[str, object] | None = None, **top: object) -> None:
        """Write the configuration; `top` are its members beside the directories."""
        given = {"version": 1, "lease": "3s", "refresh": "60s", "max_stale": "60s", **top}
        directory = {
            "path": str(self.path),
            "tmpfs": "any",
            "consumer": {"namespace": "shop", "workload": "cart"},
            "file_mode": "0440",
            "files": {"db-password": {"key": "db", "mode": "0400"}, "token": "secret://token"},
            **(of_directory or {}),
        }
        # JSON is YAML.
        self.config.write_text(json.dumps({"directories": [directory], **given}), "utf-8")

    def agent(self, **settings: str) -> ServiceProcess:
        """Return an agent that is yet to be started."""
        return ServiceProcess(
            self._kv.settings | settings,
            self._folder,
            arguments=("bootstrap.cli", "project", str(self.config)),
        )

    @property
    def files(self) -> dict[str, bytes]:
        """What a consumer finds."""
        if not self.path.exists():
            return {}
        return {
            entry.name: entry.read_bytes()
            for entry in self.path.iterdir()
            if not entry.name.startswith(".") and entry.exists()
        }

    @property
    def everything(self) -> bytes:
        """All bytes below the directory, of whatever generation."""
        paths = (path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink())
        return b"".join(path.read_bytes() for path in paths)


@pytest.fixture
def projection(kv: KvSecrets, tmp_path: Path) -> Projection:
    return Projection(kv, tmp_path)
