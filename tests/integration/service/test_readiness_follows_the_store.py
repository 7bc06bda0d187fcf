"""/readyz of a running service goes with its store: at once when it fails, in seconds when back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import SecretNotFound, UpstreamError
from tests.integration.faults.credentials import clock, revoke_client_secret
from tests.support.admin_pages import Pages, until_so
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_model import CLIENT_SECRET, LOGIN_PATH, Call, Result, refusal
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

STORE_OK = 'readiness_check_ok{check="store"}'


@pytest.fixture
def pages() -> Pages:
    return Pages(f"127.0.0.1:{neighbouring_ports()}")


@pytest.fixture
def service(infisical_settings: dict[str, str], pages: Pages, tmp_path: Path) -> ServiceProcess:
    """A service that serves once it is entered, whatever its store does."""
    settings = infisical_settings | {
        "ADMIN_ADDR": pages.address,
        "CACHE_TTL_SECONDS": "0",
        "REQUEST_TIMEOUT_SECONDS": "1",
        "INFISICAL_READ_TIMEOUT_SECONDS": "1",
    }
    return ServiceProcess(settings, tmp_path, ready="nats.listening")


async def is_not_ready(pages: Pages) -> bool:
    return not await pages.is_ready()


@pytest.mark.parametrize("way", [Break.CLOSE, Break.HANG])
async def test_a_store_that_counts_as_down_is_not_ready_and_is_ready_soon_after_it_is_back(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages, way: str
) -> None:
    keys = [f"KEY_{number}" for number in range(8)]
    for key in keys:
        infisical.model.put(key, key)

    async with service:
        await host.get(keys[0])
        assert await pages.is_ready()
        infisical.breaks.extend([way] * 1000)
        failures = await asyncio.gather(*map(host.get, keys), return_exceptions=True)
        await service.wait_for("breaker.opened")

        seconds = await until_so(lambda: is_not_ready(pages))
        store = (await pages.checks())["store"]
        shown = await pages.value(STORE_OK)

        infisical.breaks.clear()
        back_seconds = await until_so(pages.is_ready)
        shown_again = await pages.value(STORE_OK)
        assert await service.stop() == 0

    assert all(isinstance(failure, UpstreamError) for failure in failures)
    assert seconds < 2.0
    assert "check its health" in store["advice"] or "INFISICAL_BASE_URL" in store["advice"]
    assert shown == 0
    assert back_seconds < 5.0
    assert shown_again == 1


async def test_a_store_that_fails_for_a_single_secret_stays_ready(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.model.put("BROKEN", "v")
    infisical.answer = lambda call: (
        refusal(500, "Find", "x") if "BROKEN" in call.path else infisical.model.answer(call)
    )

    async with service:
        for _ in range(3):
            with pytest.raises(UpstreamError):
                await host.get("BROKEN")
            assert await pages.is_ready()
        reads = len(infisical.model.reads)
        assert await service.stop() == 0

    assert reads < 6


async def test_a_refused_login_is_not_ready_at_once_and_probes_cost_no_login(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.model.put("KEY", "v")

    async with service:
        await host.get("KEY")
        assert await pages.is_ready()
        logins = len(infisical.model.logins)
        lockout = revoke_client_secret(infisical)
        with pytest.raises(UpstreamError):
            await host.get("KEY")

        assert await is_not_ready(pages)
        store = (await pages.checks())["store"]
        assert await pages.value(STORE_OK) == 0
        pause = await pages.value('infisical_pause_seconds{call="login"}')
        refused = 'request_reasons_total{outcome="refused",reason="infisical_login_refused"}'
        assert await pages.value(refused) == 1

        tried = 0
        until = clock.monotonic() + 20.0
        while clock.monotonic() < until:
            assert await is_not_ready(pages)
            await asyncio.sleep(0.05)
            if len(infisical.model.logins) - logins > tried:
                tried += 1
                # The next one would lock the identity: it waits for much longer than this.
                until = clock.monotonic() + (20.0 if tried == 1 else 3.0)
        assert tried == 2
        assert await service.stop() == 0

    assert store["advice"].startswith("Failed to authenticate with Infisical; check INFISICAL_")
    assert pause is not None
    assert 0.0 < pause <= 6.0
    assert lockout.times_locked == 0


async def test_a_login_that_was_refused_for_a_moment_is_found_good_by_probes_alone(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    async with service:
        lockout = revoke_client_secret(infisical)
        with pytest.raises(UpstreamError):
            await host.get("KEY")
        assert await is_not_ready(pages)

        infisical.model.client_secrets.add(CLIENT_SECRET)
        seconds = await until_so(pages.is_ready)
        assert await service.stop() == 0

    # The second try follows the first after 4 to 6 seconds, and a failed check stands for 3.
    assert seconds < 10.0
    assert lockout.times_locked == 0


async def test_a_store_that_limits_the_rate_is_ready_and_the_page_says_so(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    def answer(call: Call) -> Result:
        if call.path == LOGIN_PATH:
            return infisical.model.answer(call)
        return refusal(429, "RateLimitExceeded", "later", retry_after="60")

    infisical.answer = answer

    async with service:
        with pytest.raises(UpstreamError, match="limits the rate"):
            await host.get("KEY")
        ready = await pages.is_ready()
        store = (await pages.checks())["store"]
        assert await service.stop() == 0

    assert ready
    assert "limit" in store["advice"]


async def test_a_store_found_down_at_the_start_is_said_to_be_from_the_first_probe_on(
    service: ServiceProcess, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.login_breaks.extend([Break.CLOSE] * 10_000)

    async with service:
        store = (await pages.checks())["store"]
        infisical.login_breaks.clear()
        seconds = await until_so(pages.is_ready)
        with pytest.raises(SecretNotFound):
            await host.get("KEY")
        assert await service.stop() == 0

    assert not store["ok"]
    assert "INFISICAL_BASE_URL" in store["advice"]
    assert seconds < 5.0
