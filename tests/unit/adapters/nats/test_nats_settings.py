"""Settings of the NATS transport are read strictly, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.crypto.nkeys_text import KeyKind, encode_seed
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import NatsConfigError, SecretsSubjects
from ports.settings import SettingsError

CANARY = "c4n4ry"
URLS = ("nats://localhost:4222",)
FILE = Path(__file__)
SEED = SecretStr(encode_seed(KeyKind.USER, b"s" * 32))


def test_the_subjects_are_those_of_the_protocol() -> None:
    subjects = SecretsSubjects()

    assert subjects.of("get") == "wasmcloud.secrets.v1alpha1.infisical.get"
    assert subjects.every_operation == "wasmcloud.secrets.v1alpha1.infisical.>"
    assert subjects.queue_group == "wasmcloud.secrets.infisical"


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a..b", ".a", "a.", "*", "a.>", "a*", "a\tb", "a\r\nSUB x", "a\0"]
)
@pytest.mark.parametrize("part", ["prefix", "api_version", "backend"])
def test_what_cannot_stand_in_a_subject_is_refused(part: str, text: str) -> None:
    with pytest.raises(NatsConfigError, match="cannot stand in a NATS subject"):
        SecretsSubjects(**{part: text})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://localhost:4222", "nats://localhost:4222"),
        ("localhost", "nats://localhost:4222"),
        ("127.0.0.1:4333", "nats://127.0.0.1:4333"),
        ("tls://nats.example.com", "tls://nats.example.com:4222"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
        (f"nats://me:{CANARY}@host:1", "nats://host:1"),
    ],
)
def test_an_address_is_shown_whole_and_without_credentials(url: str, shown: str) -> None:
    assert [str(address) for address in NatsSettings(urls=(url,)).addresses] == [shown]


@pytest.mark.parametrize(
    "url",
    [
        "nats://",
        "http://host",
        "ws://host",
        "nats://host:port",
        "nats://host:99999",
        "nats://me:c4n4ry@",
        "nats://[::1",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="must be an address") as failure:
        NatsSettings(urls=(url,))
    assert CANARY not in str(failure.value)


def test_no_server_at_all_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least one"):
        NatsSettings(urls=())


def test_user_and_password_of_a_url_serve_the_whole_cluster_decoded() -> None:
    settings = NatsSettings(urls=("nats://me:p%40ss@a:1", "nats://b:2"))

    assert settings.login == ("me", SecretStr("p@ss"), None)


def test_a_token_of_a_url_is_a_token() -> None:
    settings = NatsSettings(urls=("nats://t0k3n@a:1",))

    assert settings.login == (None, None, SecretStr("t0k3n"))


@pytest.mark.parametrize(
    "settings",
    [
        {"urls": ("nats://a:b@x:1", "nats://c:d@y:1")},
        {"urls": ("nats://a:b@x:1",), "user": "c", "password": SecretStr("d")},
        {"urls": ("nats://a@x:1",), "token": SecretStr("t")},
        {"user": "a"},
        {"password": SecretStr("p")},
        {"user": "a", "password": SecretStr("p"), "token": SecretStr("t")},
        {"user": "a", "password": SecretStr("p"), "credentials_file": FILE},
        {"nkey_seed": SEED, "nkey_seed_file": FILE},
        {"nkey_seed": SEED, "credentials_file": FILE},
        {"user_jwt": SecretStr("ey")},
        {"tls_key_file": FILE},
        {"inbox_prefix": "_INBOX.>"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        NatsSettings(**{"urls": URLS, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"urls": (f"nats://me:{CANARY}@host:1",)},
        {"urls": (f"nats://{CANARY}@host:1",)},
        {"token": SecretStr(CANARY)},
        {"user": "me", "password": SecretStr(CANARY)},
        {"nkey_seed": SEED, "user_jwt": SecretStr(CANARY)},
    ],
)
def test_no_repr_shows_a_credential(settings: dict[str, Any]) -> None:
    assert CANARY not in repr(NatsSettings(**{"urls": URLS, **settings}))


@pytest.mark.parametrize(
    ("settings", "insists"),
    [
        ({}, False),
        ({"urls": ("tls://host",)}, True),
        ({"tls_ca_file": FILE}, True),
        ({"tls_cert_file": FILE, "tls_key_file": FILE}, True),
        ({"tls_first": True}, True),
    ],
)
def test_each_tls_setting_insists_on_tls(settings: dict[str, Any], *, insists: bool) -> None:
    assert NatsSettings(**{"urls": URLS, **settings}).insists_on_tls is insists
