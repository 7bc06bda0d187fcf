"""What a service manager hears by sd_notify, on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.system.clock import SystemClock
from adapters.system.service_manager import ServiceManager
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Settings = dict[str, str]
Messages = list[dict[str, str]]


class Manager:
    """The receiving end, as systemd has it."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    async def next(self) -> dict[str, str]:
        async with asyncio.timeout(20):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        return dict(line.split("=", 1) for line in data.decode().split("\n"))

    async def silence(self) -> None:
        """Raise TimeoutError once nothing comes any more; what was sent before may be there."""
        async with asyncio.timeout(2):
            while True:
                await self.next()

    async def until(self, member: str) -> Messages:
        heard = [await self.next()]
        while member not in heard[-1]:
            heard.append(await self.next())
        return heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.close()


@pytest.fixture
def watched(nats_kv_settings: Settings, tmp_path: Path, manager: Manager) -> Settings:
    del manager
    return {
        **nats_kv_settings,
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "400000",
    }


def states(heard: Messages) -> list[str]:
    return [name for message in heard for name in message if name not in {"STATUS", "WATCHDOG"}]


async def test_the_manager_hears_the_life_of_a_service(
    watched: Settings, tmp_path: Path, manager: Manager
) -> None:
    async with ServiceProcess(watched, tmp_path) as service:
        started = await manager.until("READY")
        alive = [await manager.next() for _ in range(3)]
        service.signal(signal.SIGHUP)
        read_again = [*await manager.until("RELOADING"), await manager.next()]
        service.signal(signal.SIGTERM)
        ended = await manager.until("STOPPING")
        await service.exit_code()

    assert states(started) == ["READY"]
    assert started[-1]["STATUS"] == "Takes requests; the store answers"
    assert alive == [{"WATCHDOG": "1"}] * 3
    assert states(read_again) == ["RELOADING", "MONOTONIC_USEC", "READY"]
    assert int(read_again[-2]["MONOTONIC_USEC"]) > 0
    assert states(ended) == ["STOPPING"]


async def test_a_service_whose_store_is_down_is_started_and_says_so(
    watched: Settings, tmp_path: Path, manager: Manager
) -> None:
    kept = {name: watched[name] for name in watched if not name.startswith(("NATS_KV", "ENCR"))}
    settings = {
        **kept,
        "SECRET_STORE": "infisical",
        "INFISICAL_BASE_URL": f"http://127.0.0.1:{neighbouring_ports(1)}",
        "INFISICAL_CLIENT_ID": "client",
        "INFISICAL_CLIENT_SECRET": "made-up",
        "INFISICAL_PROJECT_ID": "project",
    }
    async with ServiceProcess(settings, tmp_path, ready="service.not_ready"):
        (*_, ready) = await manager.until("READY")

    assert "does not answer" in ready["STATUS"]


async def test_with_workers_the_supervisor_speaks_for_all_of_them(
    watched: Settings, tmp_path: Path, manager: Manager
) -> None:
    settings = {**watched, "WORKERS": "2"}
    async with ServiceProcess(settings, tmp_path, ready="workers.started") as service:
        started = await manager.until("READY")
        service.signal(signal.SIGHUP)
        read_again = [*await manager.until("RELOADING"), await manager.next()]
        service.signal(signal.SIGTERM)
        ended = await manager.until("STOPPING")
        await service.exit_code()

    assert states(started) == ["READY"]
    assert states(read_again) == ["RELOADING", "MONOTONIC_USEC", "READY"]
    assert states(ended) == ["STOPPING"]


async def test_a_service_that_is_stopped_gives_no_sign_of_life(
    watched: Settings, tmp_path: Path, manager: Manager
) -> None:
    async with ServiceProcess(watched, tmp_path) as service:
        await manager.until("READY")
        service.signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await manager.silence()
        service.signal(signal.SIGCONT)
        await manager.until("WATCHDOG")


async def test_an_abstract_address_is_reached() -> None:
    name = f"wasmcloud-secrets-{os.getpid()}"
    manager = Manager(f"\0{name}")
    try:
        ServiceManager(f"@{name}", SystemClock()).ready("Well")
        heard = await manager.next()
    finally:
        manager.close()

    assert heard == {"READY": "1", "STATUS": "Well"}


def test_the_variables_are_not_left_for_child_processes() -> None:
    environment = {
        "NOTIFY_SOCKET": "/run/x",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "PATH": "/",
    }

    ServiceManager.take_from(environment, SystemClock())

    assert environment == {"PATH": "/"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "400000", "NOTIFY_SOCKET": ""},
        {"WATCHDOG_USEC": "400000", "NOTIFY_SOCKET": "vsock:2:9999"},
    ],
)
async def test_there_are_no_signs_of_life_where_nothing_waits_for_them(
    variables: dict[str, str],
) -> None:
    manager = ServiceManager.take_from({"NOTIFY_SOCKET": "/run/x", **variables}, SystemClock())

    async with asyncio.timeout(5):
        await manager.watchdog()


def test_a_manager_that_is_gone_is_mentioned_once(tmp_path: Path) -> None:
    manager = ServiceManager(str(tmp_path / "gone"), SystemClock())

    with capture_logs() as logs:
        manager.ready()
        manager.reloading()

    assert [log["event"] for log in logs] == ["service_manager.unreachable"]
