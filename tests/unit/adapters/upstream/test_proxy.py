"""Which proxy the environment names for a store, and what is refused rather than skipped."""

from __future__ import annotations

import pytest

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.engine import Failure
from adapters.upstream.failures import transport_error
from adapters.upstream.proxy import proxy_for
from ports.plugin import PluginError

STORE = "https://secrets.example.com:8443"
PROXY = "http://proxy:3128"
CANARY = "canary-f81d"


def chosen(base_url: str = STORE, **environment: str) -> str | None:
    proxy = proxy_for(base_url, environment)
    return None if proxy is None else proxy.url


def test_the_variable_of_the_scheme_comes_before_all_proxy() -> None:
    assert chosen() is None
    assert chosen(HTTPS_PROXY=PROXY, ALL_PROXY="http://other") == PROXY
    assert chosen(ALL_PROXY=PROXY) == PROXY
    assert chosen(HTTP_PROXY=PROXY) is None
    assert chosen("http://store", HTTP_PROXY=PROXY, HTTPS_PROXY="http://other") == PROXY


def test_small_letters_win_and_a_scheme_may_be_left_out() -> None:
    assert chosen(HTTPS_PROXY="http://other", https_proxy="proxy:3128") == PROXY


@pytest.mark.parametrize(
    ("base_url", "no_proxy", "direct"),
    [
        (STORE, "secrets.example.com", True),
        (STORE, ".example.com", True),
        (STORE, "example.com", True),
        (STORE, "EXAMPLE.COM.", True),
        (STORE, "ample.com", False),
        (STORE, "*", True),
        (STORE, "secrets.example.com:8443", True),
        (STORE, "secrets.example.com:443", False),
        (STORE, "localhost, .example.com ,", True),
        (STORE, "localhost,10.0.0.0/8", False),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.3:443", True),
        ("https://[fd00::1]:8443", "fd00::/8", True),
        ("https://[fd00::1]:8443", "[fd00::1]", True),
        ("https://[fd00::1]:8443", "[fd00::1]:8443", True),
        ("https://[fd00::1]:8443", "[fd00::1]:443", False),
        ("https://[fe80::1]", "fd00::/8", False),
        ("https://[fd00::1]", "10.0.0.0/8", False),
        (STORE, "fd00::/8", False),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_networks(
    base_url: str, no_proxy: str, *, direct: bool
) -> None:
    assert (chosen(base_url, ALL_PROXY=PROXY, NO_PROXY=no_proxy) is None) is direct


@pytest.mark.parametrize(
    "entry",
    ["[fd00::1", "[fd00::1]8443", "*.example.com", "http://host", "host:port", "host:0", "a b"],
)
def test_an_entry_of_no_proxy_that_cannot_be_understood_is_refused(entry: str) -> None:
    with pytest.raises(PluginError, match="must list host names") as refused:
        chosen(NO_PROXY=f"localhost,{entry}")

    assert refused.value.setting == "NO_PROXY"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
def test_a_socks_proxy_is_refused_by_name(scheme: str) -> None:
    with pytest.raises(PluginError, match="SOCKS") as refused:
        chosen(ALL_PROXY=f"{scheme}://user:{CANARY}@proxy:1080")

    assert refused.value.setting == "ALL_PROXY"
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{CANARY}/x@proxy:3128",
        f"http://user:{CANARY}#x@proxy:3128",
        f"http://user:{CANARY}?x@proxy:3128",
        "http://proxy:port",
        "http://",
        f"ftp://{CANARY}",
        f"http://[{CANARY}",
    ],
)
def test_what_is_no_address_is_refused_without_its_text(proxy: str) -> None:
    with pytest.raises(PluginError, match="%2F") as refused:
        chosen(HTTPS_PROXY=proxy)

    assert refused.value.setting == "HTTPS_PROXY"
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY", "https_proxy"])
def test_a_store_behind_a_proxy_that_fails_is_not_blamed_alone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config = UpstreamConfig("Store", "store", STORE, "STORE_URL", "STORE_CA")
    assert "proxy" not in transport_error(Failure.UNREACHABLE, config).advice
    monkeypatch.setenv(name, f"http://user:{CANARY}@proxy:3128")

    advice = transport_error(Failure.UNREACHABLE, config).advice

    assert f"by way of the proxy in {name.upper()}" in advice
    assert CANARY not in advice + repr(config.proxy())
