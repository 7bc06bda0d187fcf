"""Keys and versions as a KV bucket spells them."""

from __future__ import annotations

import pytest

from adapters.nats_kv.keys import is_served, kv_key, parse_revision
from domain.model.errors import InvalidRequest


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("API_KEY", "API_KEY"),
        ("/API_KEY", "API_KEY"),
        ("payments/API_KEY", "payments/API_KEY"),
        ("/payments/API_KEY", "payments/API_KEY"),
        ("api.token", "api.token"),
        ("a/.env", "a/.env"),
        ("a=b-c_d", "a=b-c_d"),
    ],
)
def test_a_key_and_its_absolute_spelling_are_one_kv_key(key: str, name: str) -> None:
    assert kv_key(key) == name


@pytest.mark.parametrize(
    "key",
    [
        ".env",
        "end.",
        "two..dots",
        "white space",
        "tab\t",
        "line\n",
        "line\r\nPUB x 1",
        "star*",
        "tail>",
        "$JS",
        "\u00e4",
        "\u0661",
        "a:b",
        "",
        "/",
        "a//b",
        "../b",
    ],
)
def test_a_key_that_a_subject_cannot_carry_is_an_invalid_request(key: str) -> None:
    with pytest.raises(InvalidRequest):
        kv_key(key)


@pytest.mark.parametrize(
    ("name", "served"), [("a/b", True), ("/a", False), ("a//b", False), ("a/", False), ("é", False)]
)
def test_which_kv_keys_a_request_can_reach(name: str, served: bool) -> None:
    assert is_served(name) is served


@pytest.mark.parametrize(
    ("version", "revision"), [("1", 1), ("007", 7), ("18446744073709551615", 2**64 - 1)]
)
def test_a_version_is_a_revision_in_decimal(version: str, revision: int) -> None:
    assert parse_revision(version) == revision


@pytest.mark.parametrize(
    "version",
    [
        *("", "0", "-1", "+1", "1.0", "1e3", " 1", "1\n", "0x1", "1_0", "²", "\u0661", "latest"),
        *("18446744073709551616", "9" * 5000),
    ],
)
def test_anything_else_is_no_version(version: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_revision(version)
