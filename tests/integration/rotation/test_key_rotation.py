"""`keys rotate` from the first step to the last, under two replicas and hosts that keep asking."""

from __future__ import annotations

import asyncio
import stat
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import DecryptionFailed
from domain.model.messages import PROBE_KEY
from tests.support.environments import new_xkey_seed
from tests.support.free_ports import neighbouring_ports
from tests.support.host import Host, connected_host
from tests.support.seeds import shows_xkey_seed
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.command_line import CommandLine

Settings = dict[str, str]

SCRAPE_REUSED_SECONDS = 1.1
"""For that long a replica gives the same text again; see docs/monitoring.md."""


class Replicas:
    """Two replicas that are restarted one by one, as the documents say."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._running: list[ServiceProcess] = []
        self._pages: list[str] = []
        self.records: list[dict[str, Any]] = []

    async def start(self) -> None:
        address = f"127.0.0.1:{neighbouring_ports()}"
        service = ServiceProcess(self._settings | {"ADMIN_ADDR": address}, self._folder)
        await service.__aenter__()
        self._running.append(service)
        self._pages.append(f"http://{address}/metrics")

    async def restart_one(self) -> None:
        oldest = self._running.pop(0)
        del self._pages[0]
        assert await oldest.stop() == 0
        self.records += oldest.logged("secret_request")
        await self.start()

    async def restart_all(self) -> None:
        for _ in range(2):
            await self.restart_one()

    async def opened(self, server_key: str) -> float:
        """Return how many requests were sealed for such a key, as all replicas' metrics have it."""
        await asyncio.sleep(SCRAPE_REUSED_SECONDS)
        name = f'wasmcloud_secrets_requests_opened_total{{server_key="{server_key}"}} '
        async with httpx.AsyncClient() as http:
            scrapes = [(await http.get(page)).text for page in self._pages]
        found = [line for text in scrapes for line in text.splitlines() if line.startswith(name)]
        return sum(float(line.removeprefix(name)) for line in found)

    async def stop(self) -> None:
        while self._running:
            service = self._running.pop()
            assert await service.stop() == 0
            self.records += service.logged("secret_request")


@asynccontextmanager
async def two_replicas(settings: Settings, folder: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(settings, folder)
    try:
        await replicas.start()
        await replicas.start()
        yield replicas
    finally:
        await replicas.stop()


@asynccontextmanager
async def asking(host: Host) -> AsyncIterator[list[str]]:
    """Have a host ask all the time; whatever fails, fails the test."""
    got: list[str] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            got.append(str((await host.get("KEY")).value.reveal()))
            await asyncio.sleep(0.002)

    task = asyncio.create_task(ask())
    try:
        yield got
    finally:
        stop.set()
        await task


def public(path: Path) -> str:
    return SodiumXKeyPair.from_seed(path.read_text().strip()).public


def seed_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("server.seed*"))


async def test_the_server_xkey_is_exchanged_without_one_failed_request(
    replica_settings: Settings,
    command_line: CommandLine,
    tmp_path: Path,
    nats_url: str,
    subject_prefix: str,
) -> None:
    seed = tmp_path / "server.seed"

    async def rotate(*options: str, says: str, code: int = 0) -> None:
        ended, out, err = await command_line.run("keys", "rotate", "--replicas", "2", *options)
        assert not shows_xkey_seed(out.decode() + err)
        assert says in out.decode() + err
        assert ended == code

    async with AsyncExitStack() as open_until_the_end:
        replicas = await open_until_the_end.enter_async_context(
            two_replicas(replica_settings, tmp_path)
        )
        hosts = [
            await open_until_the_end.enter_async_context(connected_host(nats_url, subject_prefix))
            for _ in range(3)
        ]
        old_host, middle_host, new_host = hosts
        old = public(seed)
        async with asking(old_host) as answers:
            await rotate(says="Step 1 of 3")
            new = public(tmp_path / "server.seed.next")
            assert stat.S_IMODE((tmp_path / "server.seed.next").stat().st_mode) == 0o600

            await rotate(says="do not open the new key yet", code=1)
            await replicas.restart_one()
            await rotate(says="do not open the new key yet", code=1)
            await replicas.restart_one()
            assert await middle_host.client.server_xkey() == old

            await rotate(says="Step 2 of 3")
            assert (public(seed), public(tmp_path / "server.seed.retired")) == (new, old)
            assert not (tmp_path / "server.seed.next").exists()

            async with asking(middle_host):
                await replicas.restart_one()
                await rotate(says="still announce the old key", code=1)
                await replicas.restart_one()
            assert await new_host.client.server_xkey() == new

            async with asking(new_host):
                await rotate(says="--finish")
                assert (tmp_path / "server.seed.retired").exists()
                retired = await replicas.opened("retired")
                assert await replicas.opened("retired") > retired > 0

        assert len(answers) > 100
        assert set(answers) == {"value"}
        async with asking(new_host):
            retired, current = await replicas.opened("retired"), await replicas.opened("current")
            assert await replicas.opened("retired") == retired
            assert await replicas.opened("current") > current
        await rotate("--finish", says="Step 3 of 3")
        assert seed_files(tmp_path) == ["server.seed"]
        async with asking(new_host):
            await replicas.restart_all()
        with pytest.raises(DecryptionFailed):
            await old_host.get("KEY")

    used = [r["server_key"] for r in replicas.records if r.get("key") == "KEY"]
    assert set(used) == {"current", "retired"}
    # Refused is the old host after its key was forgotten; the command's questions are not.
    refused = {r["reason"] for r in replicas.records if r["outcome"] != "answered"}
    probed = {r["reason"] for r in replicas.records if r.get("key") == PROBE_KEY}
    assert (refused, probed) == ({"decryption_failed"}, {"key_probe"})


async def test_it_changes_nothing_while_fewer_replicas_answer_than_it_was_told(
    replica_settings: Settings, command_line: CommandLine, tmp_path: Path
) -> None:
    async with ServiceProcess(replica_settings, tmp_path):
        code, _, err = await command_line.run("keys", "rotate", "--replicas", "2")

    assert code == 1
    assert "Only 1 of 2 replicas answered" in err
    assert not (tmp_path / "server.seed.next").exists()


async def test_the_file_of_another_service_is_noticed(
    replica_settings: Settings, command_line: CommandLine, tmp_path: Path
) -> None:
    other = tmp_path / "other.seed"
    other.write_text(new_xkey_seed())

    async with ServiceProcess(replica_settings, tmp_path):
        code, _, err = await command_line.run("keys", "rotate", "--file", str(other))

    assert code == 2
    assert "announce another key" in err
    assert not (tmp_path / "other.seed.next").exists()


async def test_without_a_running_service_it_says_that_nobody_listens(
    command_line: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "server.seed").write_text(new_xkey_seed())

    code, _, err = await command_line.run("keys", "rotate")

    assert code == 1
    assert "No service listens on" in err


async def test_workers_count_as_replicas(
    replica_settings: Settings, command_line: CommandLine, tmp_path: Path
) -> None:
    settings = replica_settings | {"WORKERS": "2"}

    async with ServiceProcess(settings, tmp_path, ready="workers.started"):
        code, out, _ = await command_line.run("keys", "rotate", "--replicas", "2")

    assert code == 0
    assert "2 replicas answered" in out.decode()
