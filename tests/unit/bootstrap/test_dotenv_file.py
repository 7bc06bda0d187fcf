"""A `.env` that another user can have written brings no setting in, and is no silent absence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.nats.settings import NatsSettings
from bootstrap.settings import SettingsError, dotenv_file, load_settings

TEXT = "NATS_USER=attacker\nNATS_PASSWORD=canary\n"


@pytest.fixture
def dotenv() -> Path:
    path = Path(".env")
    path.write_text(TEXT)
    path.chmod(0o644)
    return path


def refusal() -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(NatsSettings)
    assert "canary" not in str(error.value)
    return str(error.value)


@pytest.mark.usefixtures("dotenv")
def test_the_users_own_file_is_read_and_variables_win_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings(NatsSettings, env_file=None).password is None
    monkeypatch.setenv("NATS_USER", "me")

    settings = load_settings(NatsSettings)

    assert settings.user == "me"
    assert settings.password is not None


@pytest.mark.parametrize("mode", [0o664, 0o620, 0o646, 0o602])
def test_a_file_that_other_users_may_write_is_refused(dotenv: Path, mode: int) -> None:
    dotenv.chmod(mode)

    assert ".env may be written by other users" in refusal()


def test_a_file_of_another_user_is_refused(dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(dotenv, 54321, 54321)
    else:
        monkeypatch.setattr(dotenv_file, "process_user", lambda: 54321)

    assert ".env belongs to another user" in refusal()


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_regular_file_is_refused(kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(".env")
    else:
        Path(".env").mkdir()

    assert ".env is not read" in refusal()


def test_a_file_that_is_no_text_or_endless_is_refused(dotenv: Path) -> None:
    dotenv.write_bytes(b"NATS_URL=\xff\xfe")
    assert "cannot be read" in refusal()
    dotenv.write_bytes(b"#" * (dotenv_file.MAX_BYTES + 1))
    assert "is longer than" in refusal()


def test_an_owners_link_is_followed_to_a_file_that_is_judged_itself(dotenv: Path) -> None:
    dotenv.rename("real.env")
    dotenv.symlink_to("real.env")
    assert load_settings(NatsSettings).user == "attacker"

    Path("real.env").chmod(0o666)
    assert ".env may be written by other users" in refusal()
