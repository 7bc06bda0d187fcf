"""`settings`: what is in force, where it comes from, and no secret of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bootstrap.cli import app
from bootstrap.settings.model import known_variables
from bootstrap.settings_table import MASK
from tests.support.environments import infisical_environment, new_xkey_seed


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    for name, text in infisical_environment().items():
        monkeypatch.setenv(name, text)
    env = tmp_path / ".env"
    env.write_text("MAX_IN_FLIGHT=7\nINFISICAL_ENVIRONMENT=staging\n")
    env.chmod(0o600)
    return env


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["settings", *arguments], env={"COLUMNS": "200"})


def rows() -> dict[str, dict[str, Any]]:
    result = run("--json")
    assert result.exit_code == 0, result.output
    return {row["variable"]: row for row in json.loads(result.stdout)}


def test_each_variable_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFISICAL_ENVIRONMENT", "dev")

    found = rows()

    assert (found["MAX_IN_FLIGHT"]["value"], found["MAX_IN_FLIGHT"]["origin"]) == ("7", ".env")
    environment = found["INFISICAL_ENVIRONMENT"]
    assert (environment["value"], environment["origin"]) == ("dev", "environment")
    default = found["REPLAY_WINDOW_SECONDS"]
    assert (default["value"], default["origin"]) == ("300", "default")
    assert "repeated request" in default["meaning"]
    assert not any(name.startswith(("VAULT_", "NATS_KV_")) for name in found)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = new_xkey_seed()
    monkeypatch.setenv("SERVER_XKEY_SEED", seed)
    monkeypatch.setenv("SERVER_XKEY_RETIRED_SEEDS", f"{seed},{seed}")
    monkeypatch.setenv("NATS_URL", "nats://user:canary-password@nats.test:4222")

    shown = run("--json").stdout + run("--all").stdout

    for secret in (seed, "canary-password", infisical_environment()["INFISICAL_CLIENT_SECRET"]):
        assert secret not in shown
    found = rows()
    assert found["SERVER_XKEY_SEED"]["value"] == MASK
    assert found["SERVER_XKEY_RETIRED_SEEDS"]["value"] == f"{MASK},{MASK}"
    assert found["NATS_URL"]["value"] == "nats://nats.test:4222"


def test_defaults_are_left_out_unless_asked_for() -> None:
    assert "REPLAY_WINDOW_SECONDS" not in run().stdout
    assert "MAX_IN_FLIGHT=7  (.env)\n    Requests under way" in run().stdout
    assert "REPLAY_WINDOW_SECONDS" in run("--all").stdout


def test_a_wrong_setting_ends_it_with_code_2(given: Path) -> None:
    given.write_text("MAX_IN_FLIGHT=canary\n")

    result = run()

    assert (result.exit_code, "MAX_IN_FLIGHT" in result.stderr) == (2, True)
    assert "canary" not in result.output


def test_variables_of_libraries_are_shown_without_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary-password@proxy.test:3128")

    row = rows()["HTTPS_PROXY"]

    assert (row["value"], row["origin"]) == ("http://proxy.test:3128", "environment")
    assert "canary" not in run().stdout


def test_every_unknown_name_and_wrong_value_is_named_at_once(given: Path) -> None:
    given.write_text("TRUSTED_ISSUER=A\nWORKERS=0\nINFISICAL_MAX_CONNECTIONS=none\nFOO=1\n")

    result = run()

    assert result.exit_code == 2
    assert "Did you mean TRUSTED_ISSUERS?" in result.stderr
    for name in ("FOO", "WORKERS", "INFISICAL_MAX_CONNECTIONS"):
        assert f"  - {name} " in result.stderr


def test_a_store_that_is_not_installed_hides_no_unknown_name(given: Path) -> None:
    given.write_text("SECRET_STORE=nats_kv\nLOG_LEVLE=debug\n")

    result = run()

    assert result.exit_code == 2
    assert "SECRET_STORE must be one of those installed" in result.stderr
    assert "Did you mean LOG_LEVEL?" in result.stderr


def test_a_misspelt_name_in_the_environment_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_ISUERS", "A")

    result = run("--json")

    assert result.exit_code == 0
    assert "TRUSTED_ISUERS is no setting. Did you mean TRUSTED_ISSUERS?" in result.stderr
    assert json.loads(result.stdout)
