"""How variables are read: defaults, forms, lists, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats.settings import NatsSettings
from bootstrap.settings import (
    SettingsError,
    load_configuration,
    load_settings,
)
from tests.support.environments import CLIENT_SECRET, new_xkey_seed
from tests.unit.bootstrap.settings_rig import CANARY, given, infisical, load, nats, problems


def test_the_defaults_are_the_ones_users_know(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert (settings.backend, settings.secret_store) == ("infisical", "infisical")
    assert nats(monkeypatch).urls == ("nats://localhost:4222",)
    assert nats(monkeypatch).subject_prefix == "wasmcloud.secrets"
    assert nats(monkeypatch).api_version == "v1alpha1"
    assert infisical(monkeypatch).environment == "prod"
    assert (settings.max_request_bytes, settings.max_in_flight) == (16384, 8192)
    assert (settings.request_timeout_seconds, settings.shutdown_grace_seconds) == (8, 10)
    assert (settings.replay_window_seconds, settings.clock_leeway_seconds) == (300, 5)


@pytest.mark.parametrize(
    ("text", "address"), [(":9090", "127.0.0.1:9090"), (" [::1]:9090 ", "[::1]:9090")]
)
def test_the_admin_address_is_read_in_each_of_its_forms(
    monkeypatch: pytest.MonkeyPatch, text: str, address: str
) -> None:
    settings = load(monkeypatch, ADMIN_ADDR=text)

    assert settings.admin_addr == str(settings.admin_address) == address


def test_without_an_admin_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).admin_address is None


def test_a_webhooks_key_must_be_long_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "a-key-for-webhooks"

    short = problems(monkeypatch, INFISICAL_WEBHOOK_KEY=CANARY)

    assert "at least 16 characters" in short["INFISICAL_WEBHOOK_KEY"]
    assert CANARY not in str(short)
    settings = infisical(monkeypatch, INFISICAL_WEBHOOK_KEY=key)
    assert settings.webhook_key is not None
    assert key not in repr(settings)


@pytest.mark.parametrize(("port", "fits"), [(65534, True), (65535, False)])
def test_every_worker_needs_a_port(monkeypatch: pytest.MonkeyPatch, port: int, fits: bool) -> None:
    variables = {"ADMIN_ADDR": f":{port}", "WORKERS": "2"}

    if fits:
        assert load(monkeypatch, **variables).workers == 2
    else:
        assert "Choose a lower port" in problems(monkeypatch, **variables)["ADMIN_ADDR, WORKERS"]


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    issuers = [SigningKey.generate(KeyKind.ACCOUNT).public for _ in range(2)]

    lists = {
        "NATS_URL": "nats://a:4222, b ,",
        "TRUSTED_ISSUERS": ",".join(issuers),
        "INFISICAL_ALLOWED_PATHS": "/payments/, /shared",
    }

    assert nats(monkeypatch, **lists).urls == ("nats://a:4222", "nats://b")
    assert list(load(monkeypatch, **lists).trusted_issuers) == issuers
    assert infisical(monkeypatch, **lists).allowed_paths == ("/payments", "/shared")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"NATS_URL": "", "NATS_USER": "", "MAX_IN_FLIGHT": "", "TRUSTED_ISSUERS": ""}

    settings = nats(monkeypatch, **empty)

    assert (settings.urls, settings.user) == (("nats://localhost:4222",), None)
    assert load(monkeypatch, **empty).max_in_flight == 8192


def test_choices_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, LOG_LEVEL="DEBUG").log_level == "debug"


def test_a_dotenv_file_is_read_and_variables_win_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("BACKEND_NAME=from-file\nAPI_VERSION=v2\n")

    found = given(monkeypatch, API_VERSION="v3")

    assert found.service.backend_name == "from-file"
    assert nats(monkeypatch).api_version == "v3"


def test_a_token_may_stand_beside_a_credentials_file(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = nats(monkeypatch, NATS_CREDENTIALS_FILE=__file__, NATS_TOKEN="callout")

    assert settings.token is not None


def test_infisical_settings_are_not_needed_with_another_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_STORE", "nats-kv")
    monkeypatch.setenv("ENCRYPTION_XKEY_SEED", new_xkey_seed())

    assert load_configuration().store.plugin.name == "nats-kv"


def test_one_group_can_be_read_while_another_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_IN_FLIGHT", "many")

    assert load_settings(NatsSettings).urls == ("nats://localhost:4222",)


def test_a_repr_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = new_xkey_seed()

    found = given(
        monkeypatch,
        SERVER_XKEY_SEED=seed,
        SERVER_XKEY_RETIRED_SEEDS=seed,
        NATS_URL=f"nats://u:{CANARY}@h",
    )

    shown = f"{found!r} {found.groups!r} {found.store!r} {found.transport!r}"

    assert CLIENT_SECRET not in shown
    assert seed not in shown
    assert CANARY not in shown


def test_settings_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    with pytest.raises(ValueError, match="frozen"):
        settings.max_in_flight = 1  # type: ignore[misc]  # mypy forbids it, too


def test_a_dotenv_file_that_cannot_be_read_is_reported() -> None:
    Path(".env").write_bytes(b"NATS_URL=\xff\xfe")

    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings(NatsSettings)
