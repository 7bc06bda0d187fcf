"""ADMIN_ADDR as operators write it."""

from __future__ import annotations

import pytest

from adapters.admin_http.address import AdminAddress, AdminAddressError, parse_admin_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":9090", "127.0.0.1", 9090),
        ("127.0.0.1:9090", "127.0.0.1", 9090),
        ("0.0.0.0:1", "0.0.0.0", 1),
        ("localhost:65535", "localhost", 65535),
        ("admin.example-host.internal:80", "admin.example-host.internal", 80),
        ("[::1]:9090", "::1", 9090),
        ("[::]:9090", "::", 9090),
        (" :9090\n", "127.0.0.1", 9090),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    assert parse_admin_address(text) == AdminAddress(host, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "9090", "localhost", "127.0.0.1", "::1:9090", "[::1]", "[]:9090", "[::1:9090"),
        *("[127.0.0.1]:9090", "[localhost]:9090", "::1]:9090", "300.0.0.1:9090", "1.2.3:80"),
        *("http://localhost:9090", "user@host:9090", "a b:9090", "-a:9090", "host_:9090"),
        *("*:9090", "host:", "host:port", "host:+1", "host:٣٣", "host:9090/metrics", "höst:9090"),
        *(":0", ":65536", ":99999", ":999999", ":-1", "a" * 300 + ":9090", "[::1]x:9090"),
    ],
)
def test_anything_else_is_refused_with_a_word_on_how_to_write_it(text: str) -> None:
    with pytest.raises(AdminAddressError) as refused:
        parse_admin_address(text)

    assert str(refused.value).startswith("must ")
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        (":9090", True),
        ("127.9.9.9:9090", True),
        ("LocalHost:9090", True),
        ("[::1]:9090", True),
        ("0.0.0.0:9090", False),
        ("[::]:9090", False),
        ("10.0.0.7:9090", False),
        ("admin.internal:9090", False),
    ],
)
def test_it_is_known_whether_others_can_reach_it(text: str, loopback: bool) -> None:
    assert parse_admin_address(text).is_loopback is loopback


@pytest.mark.parametrize("text", ["127.0.0.1:9090", "[::1]:9090", "localhost:80"])
def test_an_address_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_admin_address(text)) == text
