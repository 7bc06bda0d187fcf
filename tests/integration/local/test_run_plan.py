"""What `make run` decides from what is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from bootstrap.local.run_plan import ENCRYPTION_SEED, SERVER_SEED, RunFolder, plan_run
from bootstrap.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

_INFISICAL = {
    "INFISICAL_CLIENT_ID": "id",
    "INFISICAL_CLIENT_SECRET": "secret",
    "INFISICAL_PROJECT_ID": "project",
}


class Given(Protocol):
    """Sets environment variables for the length of the test."""

    def __call__(self, **settings: str) -> None: ...


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunFolder:
    """A folder without `.env`, in an environment without settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return RunFolder(tmp_path / ".run", lock=-1)


@pytest.fixture
def given(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Given:
    def give(**settings: str) -> None:
        for name, text in settings.items():
            monkeypatch.setenv(name, text)

    return give


def test_without_settings_it_is_nats_kv_on_a_server_of_its_own(folder: RunFolder) -> None:
    plan = plan_run(folder)

    assert plan.starts_server
    assert plan.additions == {
        "SECRET_STORE": "nats-kv",
        "SERVER_XKEY_SEED_FILE": str(folder.path / SERVER_SEED),
        "ENCRYPTION_XKEY_SEED_FILE": str(folder.path / ENCRYPTION_SEED),
    }


@pytest.mark.parametrize(
    ("settings", "exported", "backend"),
    [
        ({}, "nats-kv", "nats-kv"),
        ({"SECRET_STORE": "nats-kv"}, "nats-kv", "nats-kv"),
        ({"BACKEND_NAME": "mine"}, "nats-kv", "mine"),
        (_INFISICAL, None, "infisical"),
    ],
)
def test_commands_and_manifests_are_told_the_name_that_the_service_answers_to(
    given: Given,
    folder: RunFolder,
    settings: dict[str, str],
    exported: str | None,
    backend: str,
) -> None:
    given(**settings)

    lines = plan_run(folder).instructions("nats://127.0.0.1:1")

    stores = [line for line in lines if "export SECRET_STORE=" in line]
    assert stores == ([] if exported is None else [f"  export SECRET_STORE={exported}"])
    assert lines[-1] == f"  in the manifest  backend: {backend}"


def test_with_infisicals_settings_it_is_infisical(given: Given, folder: RunFolder) -> None:
    given(**_INFISICAL)

    plan = plan_run(folder)

    assert plan.starts_server
    assert plan.additions == {
        "SECRET_STORE": "infisical",
        "SERVER_XKEY_SEED_FILE": str(folder.path / SERVER_SEED),
    }
    assert not any("kv put" in line for line in plan.instructions("nats://127.0.0.1:1"))


def test_a_store_that_is_named_wins(given: Given, folder: RunFolder) -> None:
    given(**_INFISICAL, SECRET_STORE="NATS-KV")

    plan = plan_run(folder)

    assert plan.store == "nats-kv"
    assert "SECRET_STORE" not in plan.additions
    assert "ENCRYPTION_XKEY_SEED_FILE" in plan.additions


def test_seeds_that_are_given_are_used(given: Given, folder: RunFolder, tmp_path: Path) -> None:
    given(SERVER_XKEY_SEED="SX", ENCRYPTION_XKEY_SEED_FILE=str(tmp_path / "seed"))

    plan = plan_run(folder)

    assert plan.additions == {"SECRET_STORE": "nats-kv"}
    assert "  # with the same encryption xkey as in this one" in plan.instructions("nats://a")


def test_settings_in_a_dotenv_file_count(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NATS_URL=nats://elsewhere:4222\n")

    assert not plan_run(folder).starts_server


def test_credentials_in_nats_url_are_not_shown(given: Given, folder: RunFolder) -> None:
    given(NATS_URL="nats://operator:hunter2@elsewhere:4222")

    plan = plan_run(folder)

    shown = "\n".join(plan.instructions(None))
    assert "nats://elsewhere:4222" in shown
    assert "hunter2" not in shown + repr(plan)


def test_with_trusted_issuers_requests_need_a_seed(given: Given, folder: RunFolder) -> None:
    given(TRUSTED_ISSUERS="A")

    assert any(
        line.endswith("--issuer-seed-file FILE")
        for line in plan_run(folder).instructions("nats://a")
    )
