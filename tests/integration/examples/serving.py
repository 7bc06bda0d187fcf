"""The service with both examples, in an environment without this checkout."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.system.clock import SystemClock
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.use_cases.ask_for_secret import HostClient
from tests.support.admin_pages import Pages
from tests.support.free_ports import neighbouring_ports
from tests.support.host import new_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

EXAMPLES = ("etcd-store", "folder-store", "http-transport")
WORKERS = 2
TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
ENTITY = sign_token(TEAM, COMPONENT, token_id="test", issued_at=1_700_000_000)
POLICY = f"""\
version: 1
issuers:
  team: {TEAM.public}
grants:
  - name: the-component
    entities: [{{issuer: team, subject: {COMPONENT}}}]
    secrets: [{{keys: ["/shop/**"]}}]
"""
PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the service and both plug-ins, and nothing of this checkout."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd,
            env=variables(settings),
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )


def variables(settings: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}


class Served:
    """The service, from the command that the wheel installs."""

    def __init__(
        self, process: asyncio.subprocess.Process, settings: dict[str, str], port: int, admin: int
    ) -> None:
        self.process = process
        self.settings = settings
        self.lines: list[str] = []
        self.pages = [Pages(f"127.0.0.1:{admin + number}") for number in range(WORKERS)]
        self._port = port

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode())

    async def until(self, event: str, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(json.loads(line)["event"] == event for line in self.lines) < count:
                assert self.process.returncode is None, self.lines[-5:]
                await asyncio.sleep(0.05)

    async def get(self, key: str) -> str | bytes:
        """Ask as a wasmCloud host does, over the example's channel."""
        from http_transport.channel import HttpChannel  # noqa: PLC0415  of the example

        context = RequestContext(
            entity_jwt=ENTITY,
            host_jwt=new_token(TEAM, KeyKind.HOST),
            application=Application(name="shop", policy=""),
        )
        host = HostClient(HttpChannel(self._port, SystemClock()), SodiumKeyExchange())
        secret = await host.get(SecretRequest(key=key, field=None, version=None, context=context))
        return secret.value.reveal()

    async def total(self, sample: str) -> float:
        """Return the sum of a figure over all workers."""
        return sum([await page.value(sample) or 0 for page in self.pages])


@asynccontextmanager
async def served(environment: Environment, folder: Path) -> AsyncIterator[Served]:
    first = neighbouring_ports(WORKERS + 1)
    (folder / "policy.yaml").write_text(POLICY)
    settings = {
        "SECRET_STORE": "folder",
        "FOLDER_STORE_PATH": str(folder / "secrets"),
        "FOLDER_STORE_POLL_SECONDS": "0.2",
        "TRANSPORT": "http",
        "HTTP_TRANSPORT_PORT": str(first + WORKERS),
        "BACKEND_NAME": "folder",
        "WORKERS": str(WORKERS),
        "ADMIN_ADDR": f":{first}",
        "ACCESS_POLICY_FILE": str(folder / "policy.yaml"),
        "AUDIT_FILE": str(folder / "audit.jsonl"),
        "CACHE_TTL_SECONDS": "600",
        "LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        str(environment.folder / "bin" / "wasmcloud-secrets"),
        "serve",
        cwd=folder,
        env=variables(settings),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    service = Served(process, settings, first + WORKERS, first)
    reading = asyncio.create_task(service.read())
    try:
        await service.until("service.ready", WORKERS)
        yield service
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading
