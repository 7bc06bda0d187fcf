"""Calls by way of a proxy: tunnels for HTTPS, whole URLs for HTTP, and proxies that refuse."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.system.clock import SystemClock
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from domain.model.errors import StoreUnavailable, UpstreamError
from tests.support.certificates import Authority, Certificate
from tests.support.http_proxy import HttpProxy
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.upstream.message import UpstreamResponse

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{"a": 1}'
LOGIN = "robot:pa%3Ass"
HEADER = "Proxy-Authorization: Basic cm9ib3Q6cGE6c3M="


class Store(LocalServer):
    """Attributes: `heads` of the requests; `names` that clients asked for in TLS."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        super().__init__(None if certificate is None else serving(certificate))
        self.heads: list[str] = []
        self.names: list[str | None] = []
        if self._tls is not None:
            self._tls.sni_callback = lambda _socket, name, _context: self.names.append(name)

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            writer.write(OK)
            await writer.drain()


def serving(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def get(url: str, ca_file: Path | None = None, **settings: float) -> UpstreamResponse:
    clock = SystemClock()
    config = UpstreamConfig(
        name="Store",
        code="store",
        base_url=url,
        url_setting="STORE_URL",
        ca_setting="STORE_CA_FILE",
        ca_file=ca_file,
        **settings,  # type: ignore[arg-type]  # numbers of two kinds
    )
    http = UpstreamHttp(config, clock, lambda: 0.0)
    try:
        await http.request("GET", "/first", deadline=clock.monotonic() + 8.0)
        return await http.request("GET", "/second", deadline=clock.monotonic() + 8.0)
    finally:
        await http.aclose()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@pytest.fixture
def certificate(authority: Authority) -> Certificate:
    return authority.issue("server", "DNS:store.test", "IP:127.0.0.1")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_a_plain_store_is_asked_by_whole_urls(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store() as store, HttpProxy() as proxy:
        monkeypatch.setenv(variable, f"http://{LOGIN}@{proxy.address}")
        response = await get(f"http://{store.address}")

        assert response.member("a") == 1
        assert proxy.heads[0].startswith(f"GET http://{store.address}/first HTTP/1.1\r\n")
        assert HEADER in proxy.heads[0]
        assert len(store.heads) == 2


async def test_a_store_behind_tls_is_reached_through_one_tunnel_that_knows_no_secret(
    authority: Authority, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(certificate) as store, HttpProxy() as proxy:
        port = store.address.rpartition(":")[2]
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@{proxy.address}")
        response = await get(f"https://store.test:{port}", authority.file)

        assert response.member("a") == 1
        (head,) = proxy.heads
        assert head.startswith(f"CONNECT store.test:{port} HTTP/1.1\r\nHost: store.test:{port}\r\n")
        assert HEADER in head
        assert [line.splitlines()[0] for line in store.heads] == [
            "GET /first HTTP/1.1",
            "GET /second HTTP/1.1",
        ]
        assert not any("Proxy-Authorization" in line for line in store.heads)
        assert store.names == ["store.test"]


async def test_a_tunnel_through_a_proxy_behind_tls_holds_tls_of_the_store(
    authority: Authority, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(certificate) as store, HttpProxy(serving(certificate)) as proxy:
        port = store.address.rpartition(":")[2]
        monkeypatch.setenv("HTTPS_PROXY", f"https://{proxy.address}")
        response = await get(f"https://store.test:{port}", authority.file)

        assert response.member("a") == 1
        assert len(proxy.heads) == 1


async def test_a_certificate_for_another_name_ends_the_tunnel(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = authority.issue("other", "DNS:other.test")
    async with Store(other) as store, HttpProxy() as proxy:
        port = store.address.rpartition(":")[2]
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with pytest.raises(UpstreamError) as error:
            await get(f"https://store.test:{port}", authority.file)

        assert error.value.reason == "store_certificate_untrusted"
        assert not store.heads


async def test_a_server_that_speaks_before_it_is_asked_is_no_fault_of_this_process(
    authority: Authority, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context.get("exception")))
    async with Talkative(certificate) as store, HttpProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with pytest.raises(StoreUnavailable):
            await get(f"https://{store.address}", authority.file)

    assert not faults


class Talkative(Store):
    """Sends an answer with the end of the handshake, before any request."""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        assert self._tls is not None
        self._tls.maximum_version = ssl.TLSVersion.TLSv1_2

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        await reader.read()


@pytest.mark.parametrize(
    "refusal",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_named_without_its_password(
    refusal: bytes, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(certificate) as store, HttpProxy() as proxy:
        proxy.refuses_with = refusal
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@{proxy.address}")
        with pytest.raises(StoreUnavailable) as error:
            await get(f"https://{store.address}")

        assert error.value.reason == "store_unreachable"
        assert "HTTPS_PROXY" in error.value.advice
        assert not {text for text in (LOGIN, "pa:ss", "robot") if text in error.value.advice}
        assert not store.heads


async def test_a_proxy_that_says_nothing_is_given_up_within_the_time_for_connecting(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(certificate) as store, HttpProxy() as proxy:
        proxy.hangs = True
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        began = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailable) as error:
            await get(f"https://{store.address}", connect_timeout_seconds=0.2)

        assert error.value.reason == "store_timed_out"
        assert asyncio.get_running_loop().time() - began < 4.0
