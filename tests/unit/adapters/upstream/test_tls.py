"""Which authorities a store's TLS context trusts."""

from __future__ import annotations

import ssl

import pytest

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.tls import tls_context


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def context_for(base_url: str) -> ssl.SSLContext:
    return tls_context(
        UpstreamConfig(
            name="Store",
            code="store",
            base_url=base_url,
            url_setting="STORE_URL",
            ca_setting="STORE_CA_FILE",
        )
    )


@pytest.mark.parametrize("base_url", ["https://store.test", "HTTPS://store.test"])
def test_a_store_behind_tls_is_recognised_by_the_public_authorities(base_url: str) -> None:
    context = context_for(base_url)

    assert context.cert_store_stats()["x509_ca"] > 100
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_where_nothing_speaks_tls_no_authority_is_read_and_none_trusted() -> None:
    context = context_for("http://store.test:8080")

    assert context.cert_store_stats()["x509_ca"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize(("proxy", "trusts"), [("https://proxy", True), ("http://proxy", False)])
def test_a_proxy_behind_tls_is_recognised_by_the_public_authorities(
    proxy: str, trusts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)

    assert (context_for("http://store.test").cert_store_stats()["x509_ca"] > 0) is trusts
