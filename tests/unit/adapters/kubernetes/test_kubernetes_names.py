"""Names are checked by the API's own grammar before a URL is built."""

from __future__ import annotations

import pytest

from adapters.kubernetes.bounds import (
    is_data_key,
    is_namespace,
    is_secret_name,
    is_user,
    is_version,
)

NEVER = [
    "",
    ".",
    "..",
    "a/b",
    "a b",
    "a\0",
    "a\n",
    "a%2Fb",
    "a?b",
    "a#b",
    "ä",
    "a\\b",
    "a&b",
    "a;b",
]


@pytest.mark.parametrize("name", ["db", "db-1", "a.b.c", "0", "a" * 253, "x--y"])
def test_a_secrets_name_is_a_dns_subdomain(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", [*NEVER, "UPPER", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a" * 254]
)
def test_what_the_api_server_takes_for_no_secret_is_no_name(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["shop", "kube-system", "0", "a" * 63])
def test_a_namespace_is_a_dns_label(name: str) -> None:
    assert is_namespace(name)


@pytest.mark.parametrize("name", [*NEVER, "a.b", "Shop", "-a", "a-", "a" * 64])
def test_what_is_no_dns_label_is_no_namespace(name: str) -> None:
    assert not is_namespace(name)


@pytest.mark.parametrize(
    "key", ["password", "tls.crt", ".dockerconfigjson", "UPPER_and-dash.dot_9", "a..b", "k" * 253]
)
def test_a_key_inside_a_secret_may_have_dots_and_capitals(key: str) -> None:
    assert is_data_key(key)


@pytest.mark.parametrize("key", [*NEVER, "..data", "...", "k" * 254, "a:b"])
def test_what_the_api_server_refuses_to_store_is_no_key(key: str) -> None:
    assert not is_data_key(key)


@pytest.mark.parametrize("user", ["jane", "system:serviceaccount:shop:reader", "Jane Doe", "a@b.c"])
def test_a_user_is_printable(user: str) -> None:
    assert is_user(user)


@pytest.mark.parametrize("user", ["", " ", " jane", "jane ", "a\r\nX: y", "a\0b", "ä", "u" * 1025])
def test_what_could_break_or_void_a_header_is_no_user(user: str) -> None:
    assert not is_user(user)


@pytest.mark.parametrize("version", ["1", "206", "18446744073709551615"])
def test_a_version_is_a_whole_number(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize(
    "version", ["", "0", "01", "-1", "1.5", "latest", "\u0661", "1 ", "9" * 21]
)
def test_anything_else_is_no_version(version: str) -> None:
    assert not is_version(version)
