"""The examples, built, installed beside the wheel into a fresh environment, tested and served.

No part of this checkout is on that environment's path: only the wheels, and the libraries that
both need.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.system.clock import SystemClock
from domain.model.errors import Unauthorized
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.use_cases.ask_for_secret import HostClient
from tests.support.admin_pages import Pages
from tests.support.free_ports import neighbouring_ports
from tests.support.host import new_token
from tests.support.service_process import ROOT

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
    """A virtual environment with the service and its plug-ins, and nothing of this checkout."""

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


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Build the wheels and install them."""
    folder = tmp_path_factory.mktemp("environment")
    wheels = folder / "wheels"
    for project in (ROOT, *(ROOT / "examples" / name for name in EXAMPLES)):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
            cwd=project,
            check=True,
            capture_output=True,
        )
    made = Environment(folder / "venv")
    venv.create(made.folder, with_pip=False)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(made.python), "install", "--quiet"),
            *("--no-index", "--no-deps", "--disable-pip-version-check"),
            *map(str, sorted(wheels.iterdir())),
        ],
        check=True,
        capture_output=True,
    )
    # The libraries alone: what is installed here as editable is found by import hooks of this very
    # environment, which a path does not bring along.
    site = made.folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


def test_nothing_of_this_checkout_is_used(environment: Environment, tmp_path: Path) -> None:
    names = ["domain", "wasmcloud_secrets.http", *(name.replace("-", "_") for name in EXAMPLES)]
    code = f"import importlib as i; [print(i.import_module(name).__file__) for name in {names}]"

    done = environment.run("-c", code, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(environment.folder)) for line in done.stdout.splitlines())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_examples_own_tests_pass_against_the_installed_service(
    environment: Environment, example: str
) -> None:
    folder = ROOT / "examples" / example

    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)

    assert done.returncode == 0, done.stdout[-3000:]


def test_an_unknown_store_lists_the_installed_ones(
    environment: Environment, tmp_path: Path
) -> None:
    done = environment.run(
        "-m", "bootstrap.main", cwd=tmp_path, SECRET_STORE="foldr", TRANSPORT="http"
    )

    assert done.returncode == 2
    assert "SECRET_STORE must be one of those installed: etcd, folder, infisical" in done.stderr


def test_the_settings_of_a_plugin_are_checked_with_the_services_own(
    environment: Environment, tmp_path: Path
) -> None:
    wrong = {"HTTP_TRANSPORT_PORT": "0", "MAX_IN_FLIGHT": "many", "SECRET_STORE": "folder"}

    done = environment.run("-m", "bootstrap.main", cwd=tmp_path, TRANSPORT="http", **wrong)

    assert done.returncode == 2
    assert "FOLDER_STORE_PATH is not set" in done.stderr
    assert "HTTP_TRANSPORT_PORT must be at least 1" in done.stderr
    assert "MAX_IN_FLIGHT must be a whole number" in done.stderr


class Served:
    """The service, from the command that the wheel installs."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, admin: int) -> None:
        self.process = process
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
    service = Served(process, first + WORKERS, first)
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


async def test_a_store_and_a_transport_from_outside_serve_with_all_that_the_service_has(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples" / "http-transport")
    secrets = tmp_path / "secrets"
    (secrets / "shop").mkdir(parents=True)
    (secrets / "shop" / "API_KEY").write_text("canary-old")
    (secrets / "other").write_text("canary-other")

    async with served(environment, tmp_path) as service:
        # Often enough that either worker has answered.
        assert {await service.get("shop/API_KEY") for _ in range(40)} == {"canary-old"}
        with pytest.raises(Unauthorized):
            await service.get("other")
        for page in service.pages:
            checks = await page.checks()
            assert checks.keys() >= {"http", "store", "store_task", "audit", "policy"}
            assert all(check["ok"] for check in checks.values()), checks

        # The cache answers all but one request a worker.
        reads = await service.total("folder_reads_total")
        assert 1 <= reads <= WORKERS
        assert await service.total('cache_lookups_total{result="hit"}') == 40 - reads

        # A change is announced by the store's watch, in every worker, for all its caches keep.
        (secrets / "shop" / "API_KEY").write_text("canary-new")
        os.utime(secrets / "shop" / "API_KEY", ns=(1, 1))
        await service.until("change_notice.announced", WORKERS)
        assert {await service.get("shop/API_KEY") for _ in range(40)} == {"canary-new"}

    events = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    outcomes = [event["outcome"] for event in events if event["operation"] == "get"]
    assert (outcomes.count("answered"), outcomes.count("refused")) == (80, 1)
    shown: Any = "".join(service.lines) + (tmp_path / "audit.jsonl").read_text()
    assert "canary" not in shown
    assert "nats" not in re.findall("[a-z]+", shown.lower())
