"""What a configuration refuses, and which address it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from ports.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.adapters.infisical.conftest import ChangeConfig


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("https://app.infisical.com", "https://app.infisical.com/api"),
        ("https://app.infisical.com/", "https://app.infisical.com/api"),
        ("https://app.infisical.com/api", "https://app.infisical.com/api"),
        ("https://app.infisical.com/api/", "https://app.infisical.com/api"),
        ("http://infisical:8080", "http://infisical:8080/api"),
        ("https://tools.example/infisical/", "https://tools.example/infisical/api"),
        ("https://tools.example/infisical/api//", "https://tools.example/infisical/api"),
        (" https://[::1]:8443 ", "https://[::1]:8443/api"),
    ],
)
def test_every_spelling_of_the_address_leads_to_the_api(
    change_config: ChangeConfig, base_url: str, root: str
) -> None:
    assert change_config(base_url=base_url).api_root == root


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "app.infisical.com",
        "ftp://app.infisical.com",
        "https://",
        "https://user:password@app.infisical.com",
        "https://app.infisical.com?x=1",
        "https://app.infisical.com/#x",
        "https://app.infisical.com:port",
        "https://[",
    ],
)
def test_an_address_that_cannot_work_is_refused_without_being_repeated(
    change_config: ChangeConfig, base_url: str
) -> None:
    with pytest.raises(SettingsError, match="INFISICAL_BASE_URL") as refusal:
        change_config(base_url=base_url)

    assert "password@" not in str(refusal.value)


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("INFISICAL_CLIENT_ID", {"client_id": " "}),
        ("INFISICAL_CLIENT_SECRET", {"client_secret": SecretStr("")}),
        ("INFISICAL_PROJECT_ID", {"project_id": ""}),
        ("INFISICAL_ENVIRONMENT", {"environment": ""}),
        ("INFISICAL_MAX_CONNECTIONS", {"max_connections": 0}),
        ("INFISICAL_MAX_REQUESTS_PER_MINUTE", {"max_requests_per_minute": 0}),
        ("INFISICAL_SECRET_PATH", {"secret_path": "payments"}),
        ("INFISICAL_SECRET_PATH", {"secret_path": "/a/../b"}),
        ("INFISICAL_ALLOWED_PATHS", {"allowed_paths": ("/a", "/b/*")}),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(
    change_config: ChangeConfig, setting: str, change: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match=setting):
        change_config(**change)


def test_the_credentials_are_not_in_the_repr(change_config: ChangeConfig) -> None:
    config = change_config(client_secret=SecretStr("canary"), client_id="canary")

    assert "canary" not in repr(config)


def test_refused_logins_need_a_folder_that_exists(
    change_config: ChangeConfig, tmp_path: Path
) -> None:
    missing = change_config(lockout_file=tmp_path / "missing" / "logins")
    there = change_config(lockout_file=tmp_path / "logins")

    (problem,) = missing.unusable()
    assert str(problem).startswith("INFISICAL_LOCKOUT_FILE names a file in a folder that does not")
    assert not [*there.unusable()]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("key", ["short", "fifteen-letters"])
def test_a_webhook_key_that_can_be_guessed_is_refused(
    change_config: ChangeConfig, key: str
) -> None:
    with pytest.raises(SettingsError, match="at least 16") as refusal:
        change_config(webhook_key=SecretStr(key))

    assert key not in str(refusal.value)
