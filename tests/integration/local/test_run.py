"""`make run`: what it starts, what it keeps, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from bootstrap.local.demo_host import DemoComponent
from bootstrap.local.service_process import surroundings
from domain.use_cases.ask_for_secret import HostClient
from tests.integration.local.running import run_in

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from domain.model.secret import Secret

_CLOCK = SystemClock()


async def test_what_it_prints_can_be_typed_in_another_terminal_and_is_kept(tmp_path: Path) -> None:
    async with run_in(tmp_path) as first:
        ready = await first.until_ready()
        typed = await _type(first.output, tmp_path)
        code = await first.stop()

    assert typed.endswith("a value")
    assert code == 0

    async with run_in(tmp_path) as second:
        assert (await second.until_ready())["server_xkey"] == ready["server_xkey"]
        secret = await _ask(_url(second.output), "shop/API_KEY")
        assert await second.stop() == 0

    assert secret.value.reveal() == "a value"


async def test_its_seeds_are_for_its_owner_alone(tmp_path: Path) -> None:
    async with run_in(tmp_path) as running:
        await running.until_ready()

    seeds = sorted((tmp_path / ".run").glob("*.seed"))
    assert [path.name for path in seeds] == ["encryption_xkey.seed", "server_xkey.seed"]
    assert [path.stat().st_mode & 0o777 for path in seeds] == [0o600, 0o600]
    assert (tmp_path / ".run").stat().st_mode & 0o777 == 0o700


async def test_ctrl_c_reaches_the_service_once(tmp_path: Path) -> None:
    async with run_in(tmp_path) as running:
        await running.until_ready()
        os.killpg(running.process.pid, signal.SIGINT)
        code = await running.end()

    assert code == 0
    assert [record["signal"] for record in running.events("service.signalled")] == ["SIGINT"]
    assert running.events("service.stopped")


async def test_a_signal_that_a_wrapper_repeats_counts_once(tmp_path: Path) -> None:
    async with run_in(tmp_path) as running:
        await running.until_ready()
        running.process.send_signal(signal.SIGTERM)
        code = await running.stop()

    assert code == 0
    assert running.events("service.stopped")


async def test_a_closed_terminal_stops_everything(tmp_path: Path) -> None:
    async with run_in(tmp_path) as running:
        await running.until_ready()
        assert await running.stop(signal.SIGHUP) == 0

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(_url(running.output).rsplit(":", 1)[1]))


async def test_two_in_one_folder_are_refused(tmp_path: Path) -> None:
    async with run_in(tmp_path) as first:
        await first.until_ready()
        async with run_in(tmp_path) as second:
            assert await second.end() == 1

        assert "in use by another `make run`" in second.errors
        assert await first.stop() == 0


async def test_with_nats_url_it_uses_that_server_and_starts_none(
    tmp_path: Path, fresh_nats_server: LocalNatsServer
) -> None:
    async with run_in(tmp_path, NATS_URL=fresh_nats_server.url, BACKEND_NAME="vault") as running:
        ready = await running.until_ready()
        assert await running.stop() == 0

    assert ready["store"] == "nats-kv"
    assert ready["subjects"] == "wasmcloud.secrets.v1alpha1.vault.>"
    assert "export BACKEND_NAME=vault" in running.output
    assert "export NATS_URL" not in running.output
    assert not (tmp_path / ".run" / "jetstream").exists()


async def test_half_of_infisicals_settings_are_told_from_none(tmp_path: Path) -> None:
    async with run_in(tmp_path, INFISICAL_CLIENT_ID="an id") as running:
        assert await running.end() == 2

    assert "INFISICAL_CLIENT_SECRET" in running.errors
    assert "kv put" not in running.output


async def test_an_unusable_nats_url_ends_it_before_anything_starts(tmp_path: Path) -> None:
    async with run_in(tmp_path, NATS_URL="http://nats") as running:
        assert await running.end() == 2

    assert "NATS_URL" in running.errors
    assert running.output == ""


async def _type(output: str, folder: Path) -> str:
    """Type the lines it tells people to type, and return what the last one shows."""
    command = folder / "wasmcloud-secrets"
    code = "from bootstrap.cli import app; app()"
    command.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c '{code}' \"$@\"\n")
    command.chmod(0o700)
    lines = output.partition("another terminal:")[2].partition("For wasmCloud hosts")[0]
    script = re.sub(r"\S*wasmcloud-secrets (?=kv|request)", f"{shlex.quote(str(command))} ", lines)
    shell = await asyncio.create_subprocess_exec(
        "sh", "-ec", script, env=surroundings(), stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await shell.communicate()
    assert shell.returncode == 0
    return shown.decode()


def _url(output: str) -> str:
    found = re.search(r"nats://127\.0\.0\.1:\d+", output)
    assert found is not None
    return found[0]


async def _ask(url: str, key: str) -> Secret:
    async with NatsConnection(NatsSettings(urls=(url,)), _CLOCK) as connection:
        host = HostClient(
            NatsChannel(connection.client, SecretsSubjects(backend="nats-kv")), SodiumKeyExchange()
        )
        return await host.get(DemoComponent(_CLOCK).wish(key))
