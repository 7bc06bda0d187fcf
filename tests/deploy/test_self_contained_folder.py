"""The service as one folder: built from the wheel, moved, and run from / without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.local.nats_server import LocalNatsServer
from bootstrap.version import __version__
from tests.deploy.conftest import ROOT
from tests.support.admin_pages import Pages
from tests.support.environments import new_xkey_seed
from tests.support.free_ports import neighbouring_ports
from tools import self_contained

if TYPE_CHECKING:
    from collections.abc import Mapping

SURROUNDINGS = {"PATH": os.pathsep.join((str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"))}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built") / "folder"


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    wheels = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(wheels)]
    subprocess.run([sys.executable, "-m", *build, str(ROOT)], check=True, timeout=120)
    assert self_contained.fill(built, next(wheels.glob("*.whl")))
    moved = tmp_path_factory.mktemp("elsewhere") / "wasmcloud-secrets"
    shutil.move(built, moved)
    return moved / "bin" / "wasmcloud-secrets"


def run(
    command: list[str], settings: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        cwd="/",
        env={**SURROUNDINGS, **(settings or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def started(command: list[str], settings: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd="/",
        env={**SURROUNDINGS, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_needs_no_network(launcher: Path) -> None:
    alone = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or run([*alone, "true"]).returncode:
        pytest.skip("no network namespace can be made here")

    shown = run([*alone, str(launcher), "--version"])

    assert (shown.returncode, shown.stdout) == (0, f"{__version__}\n")


def test_nothing_in_it_tells_where_it_was_built(launcher: Path, built: Path) -> None:
    folder = launcher.parents[1]
    places = [str(place).encode() for place in (built, ROOT)]

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if any(place in path.read_bytes() for place in places)] == []
    assert not (folder / "lib" / "bin").exists()


def test_nothing_outside_the_folder_is_used(launcher: Path) -> None:
    code = "import bootstrap, httptools, nacl; print(bootstrap.__file__, httptools.__file__)"
    library = launcher.parents[1] / "lib"
    shown = run([sys.executable, "-S", "-c", code], {"PYTHONPATH": str(library)})

    assert shown.stdout.count(str(library)) == 2, shown.stderr


async def console(admin: str) -> tuple[str, set[str]]:
    """Return a page of the console, and the types of what it refers to."""
    pages = Pages(admin)
    page = (await pages.get("/console/requests")).text
    assets = re.findall(r'(?:href|src)="(/console[^"]*\.(?:css|js|svg))', page)
    answers = [await pages.get(asset) for asset in assets]
    return page, {answer.headers["content-type"].partition(";")[0] for answer in answers}


async def test_workers_serve_a_secret_and_the_console_from_the_root_folder(launcher: Path) -> None:
    admin = f"127.0.0.1:{neighbouring_ports(3)}"
    async with LocalNatsServer(jetstream=True) as server:
        settings = {
            "SECRET_STORE": "nats-kv",
            "NATS_URL": server.url,
            "SERVER_XKEY_SEED": new_xkey_seed(),
            "ENCRYPTION_XKEY_SEED": new_xkey_seed(),
            "ADMIN_ADDR": admin,
            "ADMIN_CONSOLE": "true",
            "WORKERS": "2",
        }
        stored = run([str(launcher), "kv", "put", "--create-bucket", "A"], settings, "made-up")
        assert stored.returncode == 0, stored.stderr
        service = started([str(launcher), "serve"], settings)
        try:
            for _ in range(20):
                well = run([str(launcher), "healthcheck"], settings)
                if well.returncode == 0:
                    break
            got = run([str(launcher), "request", "A", "--raw"], settings)
            page, kinds = await console(admin)
        finally:
            service.terminate()
            output, _ = service.communicate(timeout=30)

    assert well.returncode == 0, well.stderr + output
    assert got.stdout == "made-up", got.stderr
    assert "<h1>Requests</h1>" in page
    assert kinds == {"text/css", "text/javascript", "image/svg+xml"}
    assert service.returncode == 0, output
