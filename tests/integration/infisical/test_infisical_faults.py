"""Broken connections and broken servers: how each ends, and that everything heals by itself."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from adapters.upstream.config import MAX_BODY_BYTES
from domain.model.errors import UpstreamError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.support.infisical_generations import LATE_2026
from tests.support.infisical_model import InfisicalModel, Result, html, refusal
from tests.support.infisical_server import Break, InfisicalServer, recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.infisical.conftest import OpenAdapter
    from tests.support.infisical_generations import Generation


@pytest.fixture
async def server(generation: Generation) -> AsyncIterator[InfisicalServer]:
    """A modelled server with one secret."""
    async with InfisicalServer(generation=generation) as server:
        server.model.put("KEY", "v")
        yield server


@pytest.mark.parametrize("way", [Break.RESET, Break.HALF, Break.CLOSE])
async def test_a_broken_connection_heals_within_the_request(
    open_adapter: OpenAdapter, server: InfisicalServer, way: str
) -> None:
    server.breaks = [way, way]
    server.login_breaks = [way, way]

    assert (await open_adapter(server.url).get("KEY")).value.reveal() == "v"
    assert len(server.model.calls) >= 6


@pytest.mark.parametrize("way", [Break.RESET, Break.HALF, Break.CLOSE])
async def test_a_connection_that_stays_broken_is_an_upstream_error_and_heals_later(
    open_adapter: OpenAdapter, server: InfisicalServer, way: str
) -> None:
    adapter = open_adapter(server.url)
    server.breaks = [way] * 5

    with pytest.raises(UpstreamError) as failure:
        await adapter.get("KEY")

    assert failure.value.reason == reasons.UNREACHABLE
    assert (await adapter.get("KEY")).value.reveal() == "v"


async def test_a_hanging_read_ends_at_the_deadline_and_heals_later(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    adapter = open_adapter(server.url)
    server.breaks = [Break.HANG]
    started = adapter.clock.monotonic()

    with pytest.raises(UpstreamError) as failure:
        await adapter.get("KEY", seconds=0.4)

    assert failure.value.reason == reasons.TIMED_OUT
    assert 0.3 < adapter.clock.monotonic() - started < 2.0
    assert (await adapter.get("KEY")).value.reveal() == "v"


@pytest.mark.parametrize("generation", [LATE_2026], ids=["late 2026"])  # counts calls
async def test_a_read_that_hangs_once_is_tried_again_within_the_deadline(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    server.breaks = [Break.HANG]

    secret = await open_adapter(server.url, read_timeout_seconds=0.2).get("KEY")

    assert secret.value.reveal() == "v"
    assert len(server.model.reads) == 2


async def test_a_hanging_login_ends_at_the_deadline_and_heals_later(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    adapter = open_adapter(server.url, read_timeout_seconds=0.5)
    server.login_breaks = [Break.HANG]

    with pytest.raises(UpstreamError) as failure:
        await adapter.get("KEY", seconds=0.2)

    assert failure.value.reason == reasons.TIMED_OUT
    assert (await adapter.get("KEY")).value.reveal() == "v"


async def test_a_cancelled_read_leaves_the_adapter_usable(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    adapter = open_adapter(server.url, max_connections=1)
    server.breaks = [Break.HANG]
    reading = asyncio.create_task(adapter.get("KEY"))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert (await adapter.get("KEY")).value.reveal() == "v"


async def test_more_requests_than_connections_are_all_answered(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    adapter = open_adapter(server.url, max_connections=2)

    secrets = await asyncio.gather(*(adapter.get("KEY") for _ in range(50)))

    assert {secret.value.reveal() for secret in secrets} == {"v"}
    assert len(server.model.logins) == 1


async def test_a_server_that_is_gone_is_unreachable_and_heals_when_it_is_back(
    open_adapter: OpenAdapter,
) -> None:
    async with InfisicalServer() as gone:
        url = gone.url
    adapter = open_adapter(url)

    with pytest.raises(UpstreamError) as failure:
        await adapter.get("KEY")
    with pytest.raises(StoreUnreachableError):
        await adapter.check.check()

    assert failure.value.reason == reasons.UNREACHABLE


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (html(200), reasons.NOT_ANSWERING),
        (html(404), reasons.NOT_ANSWERING),
        (html(403), reasons.NOT_ANSWERING),
        (html(502), reasons.FAILING),
        (Result(301, b"", {"location": "http://127.0.0.1:1/"}), reasons.NOT_ANSWERING),
        (Result(200, b"{", JSON), reasons.NOT_ANSWERING),
        (Result(200, {"status": "ok"}), reasons.NOT_ANSWERING),
        (Result(403, {"message": "Forbidden"}), reasons.NOT_ANSWERING),
        (Result(200, b" " * (MAX_BODY_BYTES + 1), JSON), reasons.ANSWER_TOO_LARGE),
        (refusal(429, "RateLimitExceeded", "x", retry_after="30"), reasons.RATE_LIMITED),
        (Result(200, b"no gzip at all", {"content-encoding": "gzip"}), reasons.ANSWER_UNREADABLE),
    ],
)
async def test_a_server_that_answers_nonsense_is_an_upstream_error(
    open_adapter: OpenAdapter, server: InfisicalServer, fault: Result, reason: str
) -> None:
    server.model.faults = [fault] * 10

    with pytest.raises(UpstreamError) as failure:
        await open_adapter(server.url).get("KEY")

    assert failure.value.reason == reason


async def test_a_wrong_address_is_not_ready_and_names_the_setting(
    open_adapter: OpenAdapter, server: InfisicalServer
) -> None:
    with pytest.raises(StoreUnreachableError, match="INFISICAL_BASE_URL"):
        await open_adapter(f"{server.url}/no/such/path").check.check()
    server.model.folders.add(("prod", "/"))
    await open_adapter(f"{server.url}/api/").check.check()


OUTAGES = ["postgres_hung_get", "redis_down_get", "redis_hung_get"]


@pytest.mark.parametrize("name", OUTAGES)
async def test_a_recorded_outage_is_an_upstream_error_and_heals(
    open_adapter: OpenAdapter, server: InfisicalServer, name: str
) -> None:
    hung = "timed out" in recording(name)["response"]["error"]
    server.breaks = [Break.HANG] if hung else [Break.CLOSE] * 5
    adapter = open_adapter(server.url)

    with pytest.raises(UpstreamError) as failure:
        await adapter.get("KEY", seconds=0.4)

    assert failure.value.reason == (reasons.TIMED_OUT if hung else reasons.UNREACHABLE)
    assert (await adapter.get("KEY")).value.reveal() == "v"


@pytest.mark.parametrize("generation", [LATE_2026], ids=["late 2026"])  # counts calls
async def test_netrc_and_cookies_put_nothing_into_a_request(
    open_adapter: OpenAdapter,
    server: InfisicalServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password canary\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))

    await open_adapter(server.url).get("KEY")

    login, read = server.model.calls
    assert "authorization" not in login.headers
    assert read.headers["authorization"] == "Bearer canary-access-token-1"
    assert read.headers["accept-encoding"] == "identity"


@contextlib.asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[tuple[str, Path, InfisicalModel]]:
    """Put a model behind a fresh self-signed certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes its certificate with openssl, which is not installed")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    arguments = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} "
    arguments += f"-out {certificate} -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    process = await asyncio.create_subprocess_exec(
        openssl, *arguments.split(), stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with InfisicalServer(tls=context) as server:
        yield server.url, certificate, server.model


async def test_a_private_certificate_is_trusted_only_when_configured(
    open_adapter: OpenAdapter, tmp_path: Path
) -> None:
    async with tls_server(tmp_path) as (url, certificate, model):
        model.put("KEY", "v")

        with pytest.raises(StoreMisconfiguredError, match="INFISICAL_CA_FILE"):
            await open_adapter(url).check.check()
        secret = await open_adapter(url, ca_file=certificate).get("KEY")

    assert secret.value.reveal() == "v"
