"""Variables that libraries read by themselves are checked like settings, whatever is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import certifi
import pytest

from adapters.nats.settings import NatsSettings
from bootstrap.settings import SettingsError, load_configuration, load_settings
from bootstrap.settings.library_variables import without_userinfo
from bootstrap.settings.variables import Variables
from tests.support.environments import infisical_environment, nats_kv_environment

if TYPE_CHECKING:
    from pathlib import Path


def problems(**variables: str) -> dict[str, str]:
    given = Variables({**infisical_environment(), **variables})
    with pytest.raises(SettingsError) as caught:
        load_configuration(given)
    return {problem.setting: problem.advice for problem in caught.value.problems}


def test_a_file_and_a_folder_of_certificates_are_taken(tmp_path: Path) -> None:
    variables = {"SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": str(tmp_path)}

    load_configuration(Variables({**infisical_environment(), **variables}))


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_refused_by_its_own_name(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    assert list(problems(SSL_CERT_FILE=str(file))) == ["SSL_CERT_FILE"]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert list(problems(SSL_CERT_DIR=str(tmp_path / "missing"))) == ["SSL_CERT_DIR"]


def test_a_store_that_is_reached_over_nats_is_no_exception(tmp_path: Path) -> None:
    variables = {**nats_kv_environment(tmp_path), "ssl_cert_file": "/missing.pem"}

    with pytest.raises(SettingsError, match="SSL_CERT_FILE must name a file"):
        load_configuration(Variables(variables))


def test_commands_that_read_one_group_are_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", "/missing")

    with pytest.raises(SettingsError, match="SSL_CERT_DIR must name an existing folder"):
        load_settings(NatsSettings, None)


def test_keys_of_tls_connections_are_never_written(tmp_path: Path) -> None:
    file = tmp_path / "keys.log"

    assert "unset it" in problems(SSLKEYLOGFILE=str(file))["SSLKEYLOGFILE"]
    assert not file.exists()


def test_an_empty_variable_counts_as_unset() -> None:
    empty = dict.fromkeys(("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"), "")

    load_configuration(Variables({**infisical_environment(), **empty}))


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HTTPS_PROXI", "HTTPS_PROXY"), ("NOPROXY", "NO_PROXY"), ("SSL_CERT_FILES", "SSL_CERT_FILE")],
)
def test_a_misspelt_one_is_named_with_the_one_that_was_meant(name: str, meant: str) -> None:
    environment = infisical_environment()

    assert load_configuration(Variables({**environment, name: "x"})).misspelt == ((name, meant),)
    with pytest.raises(SettingsError, match=f"Did you mean {meant}"):
        load_configuration(Variables(environment, {name: "x"}))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("HTTPS_PROXY", "http://user:canary@proxy:3128", "http://proxy:3128"),
        ("ALL_PROXY", "user:c@nary@proxy:3128", "http://proxy:3128"),
        ("HTTP_PROXY", "http://user:canary@[::1", ""),
        ("HTTP_PROXY", "proxy:3128", "proxy:3128"),
        ("NO_PROXY", "localhost,.example.com", "localhost,.example.com"),
        ("SSL_CERT_FILE", "/etc/ca@home.pem", "/etc/ca@home.pem"),
    ],
)
def test_a_proxys_credentials_are_not_shown(name: str, value: str, shown: str) -> None:
    assert without_userinfo(name, value) == shown
