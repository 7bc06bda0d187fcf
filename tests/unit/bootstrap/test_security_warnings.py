"""Configurations that work and protect less than they could are named at start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.system.loopback import is_loopback
from bootstrap.security_warnings import warn_of_weaknesses
from ports.store_plugin import StoreParts
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck
from tests.support.environments import configuration, infisical_environment, new_xkey_seed

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

ISSUER = encode_public(KeyKind.ACCOUNT, b"i" * 32)
NATS_KV = {"SECRET_STORE": "nats-kv", "ENCRYPTION_XKEY_SEED": new_xkey_seed()}
STORE = FakeSecretStore()


def logged(
    variables: Mapping[str, str], *, announces_changes: bool = False
) -> list[MutableMapping[str, Any]]:
    given = infisical_environment() | {"TRUSTED_ISSUERS": ISSUER, **variables}
    parts = StoreParts(STORE, FakeStoreCheck(), announces_changes=announces_changes)
    with capture_logs() as logs:
        warn_of_weaknesses(configuration(**given), parts)
    return list(logs)


def warnings(
    variables: Mapping[str, str] | None = None, *, announces_changes: bool = False, **more: str
) -> dict[str, Any]:
    logs = logged({**(variables or {}), **more}, announces_changes=announces_changes)
    assert all(record["log_level"] == "warning" for record in logs)
    return {record["event"]: record for record in logs}


def test_a_sound_configuration_is_not_warned_about() -> None:
    assert warnings() == {}
    assert warnings(TRUSTED_ISSUERS="", ACCESS_POLICY_FILE=__file__) == {}


def test_without_rules_a_warning_says_what_that_means() -> None:
    (record,) = warnings(TRUSTED_ISSUERS="").values()

    assert record["event"] == "access.any_issuer"
    assert "TRUSTED_ISSUERS" in record["advice"]


@pytest.mark.parametrize(
    ("variables", "warned"),
    [
        ({"CACHE_TTL_SECONDS": "60"}, False),
        ({"CACHE_TTL_SECONDS": "61"}, True),
        ({"CACHE_MAX_STALE_SECONDS": "3600"}, False),
        ({"CACHE_TTL_SECONDS": "61", **NATS_KV}, True),
        (NATS_KV, False),
    ],
)
def test_values_kept_for_long_without_word_of_changes_are_warned_about(
    variables: dict[str, str], warned: bool
) -> None:
    assert set(warnings(variables)) == ({"cache.values_kept_long"} if warned else set())


def test_a_store_that_announces_changes_may_be_cached_for_long() -> None:
    assert not warnings(CACHE_TTL_SECONDS="3600", announces_changes=True)
    assert "cache flush" in warnings(CACHE_TTL_SECONDS="3600")["cache.values_kept_long"]["advice"]


def test_observing_is_loud() -> None:
    (record,) = warnings(AUTHORIZATION_MODE="observe").values()

    assert record["event"] == "access.only_observed"
    assert "AUTHORIZATION_MODE=enforce" in record["advice"]


@pytest.mark.parametrize(
    ("variables", "warned"),
    [
        ({"NATS_URL": "nats://nats.example.com"}, True),
        ({"NATS_URL": "nats://localhost,nats://10.0.0.1"}, True),
        ({"NATS_URL": "tls://nats.example.com"}, False),
        ({"NATS_URL": "nats://nats.example.com", "NATS_TLS_FIRST": "true"}, False),
        ({"NATS_URL": "nats://nats.example.com", "NATS_TLS_CA_FILE": __file__}, False),
        ({"NATS_URL": "nats://127.0.0.1:4333"}, False),
    ],
)
def test_nats_without_tls_is_warned_about_beyond_this_machine(
    variables: dict[str, str], warned: bool
) -> None:
    assert set(warnings(variables)) == ({"plugin.weakness"} if warned else set())


@pytest.mark.parametrize(
    ("address", "warned"),
    [(":9090", False), ("localhost:9090", False), ("[::1]:9090", False), ("0.0.0.0:9090", True)],
)
def test_an_admin_address_beyond_this_machine_is_warned_about(address: str, warned: bool) -> None:
    expected = {"admin_http.exposed"} if warned else set()

    assert set(warnings(ADMIN_ADDR=address)) == expected


def test_an_admin_address_that_is_meant_to_be_reached_is_mentioned_without_a_warning() -> None:
    logs = logged({"ADMIN_ADDR": "0.0.0.0:9090", "ADMIN_EXPOSED": "true"})

    assert [(record["event"], record["log_level"]) for record in logs] == [
        ("admin_http.exposed", "info")
    ]


def test_an_admin_address_of_this_machine_needs_no_mention_whatever_was_meant() -> None:
    assert warnings(ADMIN_ADDR=":9090", ADMIN_EXPOSED="true") == {}


def test_no_credential_of_an_address_is_shown() -> None:
    (record,) = warnings(NATS_URL="nats://user:canary@nats.example.com").values()

    assert record["plugin"] == "nats"
    assert "nats://nats.example.com:4222" in record["advice"]
    assert "canary" not in repr(record)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://infisical.example.com", True),
        ("http://10.0.0.1:8080", True),
        ("https://infisical.example.com", False),
        ("http://localhost:8080", False),
        ("http://[::1]:8080", False),
    ],
)
def test_infisical_without_tls_is_warned_about_beyond_this_machine(url: str, warned: bool) -> None:
    expected = {"plugin.weakness"} if warned else set()

    assert set(warnings(INFISICAL_BASE_URL=url)) == expected


@pytest.mark.parametrize(
    ("endpoint", "headers", "warned"),
    [
        ("http://collector.example.com/v1/traces", "x-token=canary", True),
        ("http://collector.example.com/v1/traces", "", False),
        ("https://collector.example.com/v1/traces", "x-token=canary", False),
        ("http://localhost:4318/v1/traces", "x-token=canary", False),
        ("", "x-token=canary", False),
    ],
)
def test_credentials_that_go_to_a_collector_in_clear_are_warned_about(
    endpoint: str, headers: str, *, warned: bool
) -> None:
    given = {"TRACES_ENDPOINT": endpoint, "TRACES_HEADERS": headers}

    told = warnings({name: text for name, text in given.items() if text})

    assert set(told) == ({"traces.unencrypted"} if warned else set())
    assert "canary" not in str(told)


def test_a_store_that_is_not_used_is_not_warned_about() -> None:
    assert not warnings(
        SECRET_STORE="nats-kv",
        ENCRYPTION_XKEY_SEED_FILE="seed",
        INFISICAL_BASE_URL="http://infisical.example.com",
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("nats.localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("0.0.0.0", False),
        ("192.168.0.1", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
