"""Probes and metrics of a running service, over HTTP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import SecretNotFound
from tests.support.admin_pages import Pages, until_so
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]


@pytest.fixture
def pages() -> Pages:
    return Pages(f"127.0.0.1:{neighbouring_ports()}")


@pytest.fixture
def settings(infisical_settings: Settings, pages: Pages) -> Settings:
    return infisical_settings | {"ADMIN_ADDR": pages.address}


async def test_a_scrape_tells_what_was_asked_and_how_it_ended(
    settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.model.put("KEY", "canary-value")

    async with ServiceProcess(settings, tmp_path):
        await host.get("KEY")
        await host.get("KEY")
        with pytest.raises(SecretNotFound):
            await host.get("NOTHING")
        text = (await pages.get("/metrics")).text

        requests = 'requests_total{error="%s",operation="get",outcome="%s"}'
        assert await pages.value(requests % ("none", "answered")) == 2
        assert await pages.value(requests % ("SecretNotFound", "refused")) == 1
        assert await pages.value('store_call_duration_seconds_count{outcome="ok"}') == 1
        assert await pages.value('store_call_duration_seconds_count{outcome="not_found"}') == 1
        assert await pages.value('cache_lookups_total{result="hit"}') == 1
        assert await pages.value("cache_entries") == 1
        assert await pages.value("nats_connected") == 1
        assert await pages.value("audit_accepting") == 1
        assert await pages.value('audit_events_waiting{sink="log"}') is not None
        calls = 'infisical_call_duration_seconds_count{call="%s",status="%s"}'
        assert await pages.value(calls % ("login", "2xx")) == 1
        assert await pages.value(calls % ("read", "2xx")) == 1
        assert await pages.value("infisical_read_wait_seconds_count") == 3
        served = 'request_duration_seconds_count{operation="get",served_from="%s"}'
        assert await pages.value(served % "cache") == 1

    assert "canary" not in text
    assert "KEY" not in text
    assert host.entity_token not in text


async def test_it_is_alive_while_it_starts_and_ready_once_it_serves(
    settings: Settings, tmp_path: Path, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.login_breaks.append(Break.HANG)
    given = settings | {"INFISICAL_READ_TIMEOUT_SECONDS": "2"}

    async with ServiceProcess(given, tmp_path, ready="nats.connected") as service:
        assert (await pages.get("/livez")).status_code == 200
        assert (await pages.get("/readyz")).status_code == 503
        checks = await pages.checks()
        await service.wait_for("service.ready")
        await until_so(pages.is_ready)
        assert await service.stop() == 0

    assert checks["nats"]["ok"]
    assert not checks["serving"]["ok"]
    assert "starting" in checks["serving"]["advice"]
    events = [record["event"] for record in service.records]
    assert events.index("admin_http.listening") < events.index("nats.connected")


async def test_a_store_that_is_away_keeps_it_from_being_ready_and_the_page_says_why(
    settings: Settings, tmp_path: Path, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.login_breaks.extend([Break.CLOSE] * 10_000)

    async with ServiceProcess(settings, tmp_path, ready="nats.listening"):
        store = (await pages.checks())["store"]
        assert (await pages.get("/readyz")).status_code == 503
        assert (await pages.get("/livez")).status_code == 200

    assert not store["ok"]
    assert "INFISICAL_BASE_URL" in store["advice"]


async def test_without_an_address_no_port_is_opened(
    infisical_settings: Settings, tmp_path: Path
) -> None:
    async with ServiceProcess(infisical_settings, tmp_path) as service:
        assert await service.stop() == 0

    assert not service.logged("admin_http.listening")


async def test_an_address_that_is_taken_ends_it_with_code_1(
    settings: Settings, tmp_path: Path, pages: Pages
) -> None:
    host, _, port = pages.address.partition(":")
    with socket.create_server((host, int(port))):
        code, service = await run_to_its_end(settings, tmp_path)

    assert code == 1
    assert "another process listens there" in service.logged("service.failed")[0]["advice"]
    assert not service.logged("nats.connected")


async def test_each_worker_listens_one_port_further_on(
    infisical_settings: Settings, tmp_path: Path, pages: Pages
) -> None:
    _, _, port = pages.address.partition(":")
    settings = infisical_settings | {"ADMIN_ADDR": f":{port}", "WORKERS": "2"}

    async with ServiceProcess(settings, tmp_path) as service:
        await service.wait_for("service.ready", count=2)
        for number in range(2):
            worker = Pages(f"127.0.0.1:{int(port) + number}")
            await until_so(worker.is_ready)
            assert await worker.value("nats_connected") == 1
        assert await service.stop() == 0
