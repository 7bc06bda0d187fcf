"""The examples, built, installed beside the wheel into a fresh environment, tested and served.

No part of this checkout is on that environment's path: only the wheels, and the libraries that
both need.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from domain.model.errors import Unauthorized
from tests.integration.examples.serving import ENTITY, EXAMPLES, WORKERS, served
from tests.support.service_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.examples.serving import Environment


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


async def test_the_command_line_asks_over_the_transport_that_is_chosen(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples" / "http-transport")
    (tmp_path / "secrets" / "shop").mkdir(parents=True)
    (tmp_path / "secrets" / "shop" / "API_KEY").write_text("the value")
    (tmp_path / "entity.jwt").write_text(ENTITY)

    async with served(environment, tmp_path) as service:
        asked = ("-m", "bootstrap.cli", "request", "--entity-token-file", "entity.jwt")
        settings = {key: service.settings[key] for key in ("TRANSPORT", "HTTP_TRANSPORT_PORT")}
        settings["BACKEND_NAME"] = "folder"
        allowed = await asyncio.to_thread(
            partial(environment.run, *asked, "shop/API_KEY", cwd=tmp_path, **settings)
        )
        refused = await asyncio.to_thread(
            partial(environment.run, *asked, "other", cwd=tmp_path, **settings)
        )
        settings["HTTP_TRANSPORT_PORT"] = "1"
        unheard = await asyncio.to_thread(
            partial(environment.run, *asked, "other", cwd=tmp_path, **settings)
        )

    assert (allowed.returncode, allowed.stdout) == (0, "the value")
    assert (refused.returncode, "Unauthorized" in refused.stderr) == (1, True), refused.stderr
    assert (unheard.returncode, "No service listens" in unheard.stderr) == (1, True), unheard.stderr
