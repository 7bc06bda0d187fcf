"""Exit codes, and what is said before the first log line."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING, cast

import pytest

from bootstrap.hardening import Hardening, MemoryLock
from bootstrap.main import main, run_service
from bootstrap.settings import SettingsError
from bootstrap.settings.model import every_variable
from bootstrap.version import __version__
from tests.support.environments import infisical_environment

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.lifecycle import Service


@pytest.fixture(autouse=True)
def hardened(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Leave the tests' own process as it is, and note what was asked for."""
    asked: list[bool] = []

    def harden(lock_memory: bool) -> Hardening:
        asked.append(lock_memory)
        return Hardening(core_dumps_off=True, undumpable=True, memory_lock=MemoryLock.LIMITED)

    monkeypatch.setattr("bootstrap.main.harden_process", harden)
    return asked


def test_garbage_is_looked_for_again_once_a_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[bool] = []
    thresholds = gc.get_threshold()

    async def run(_: Service, *, twice_means_now: bool) -> None:
        looked_for.append(gc.isenabled())

    monkeypatch.setattr("bootstrap.main._run", run)
    gc.disable()
    try:
        run_service(cast("Service", None))
    finally:
        gc.enable()
        gc.unfreeze()
        gc.set_threshold(*thresholds)

    assert looked_for == [True]


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"{__version__}\n"


def test_arguments_are_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--nats-url=x"]) == 2

    assert "environment variables" in capsys.readouterr().err


def test_wrong_settings_are_listed_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_IN_FLIGHT", "many")

    assert main([]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "  - MAX_IN_FLIGHT must be a whole number." in captured.err
    assert "  - INFISICAL_CLIENT_SECRET is not set" in captured.err


def test_a_seed_file_that_cannot_be_used_is_a_wrong_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in infisical_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", "/no/such/folder/seed")

    assert main([]) == 2

    assert "SERVER_XKEY_SEED_FILE" in capsys.readouterr().err


def test_a_bug_ends_it_with_a_record_and_without_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("canary-3b1d")

    for name, value in infisical_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bootstrap.lifecycle.Service.run", broken)

    assert main([]) == 1

    captured = capsys.readouterr()
    record = json.loads(captured.err.splitlines()[-1])
    assert (record["event"], record["exception"]) == ("service.crashed", "ValueError")
    assert "canary" not in captured.err


def test_a_broken_policy_file_is_reported_by_line_and_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in infisical_environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "policy.yaml").write_text("version: 1\nissuers: {team: A}\ngrants: [{name: x}]\n")
    monkeypatch.setenv("ACCESS_POLICY_FILE", str(tmp_path / "policy.yaml"))

    assert main([]) == 2

    told = capsys.readouterr().err
    assert "  - ACCESS_POLICY_FILE line 2, column 17: issuers.team: " in told
    assert '  - ACCESS_POLICY_FILE line 3, column 10: grants[0] "x": ' in told


@pytest.mark.parametrize(("asked", "level"), [("true", "warning"), ("false", "info")])
def test_the_process_is_hardened_before_any_seed_is_read(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    hardened: list[bool],
    asked: str,
    level: str,
) -> None:
    for name, value in infisical_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOCK_MEMORY", asked)
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", "/no/such/folder/seed")

    assert main([]) == 2

    record = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (record["event"], record["level"]) == ("process.hardened", level)
    assert record["memory_lock"] == "limited"
    assert hardened == [False, asked == "true"]


def test_the_process_is_hardened_before_its_settings_are_read(
    monkeypatch: pytest.MonkeyPatch, hardened: list[bool]
) -> None:
    done: list[str] = []

    def load(**_: object) -> None:
        done.extend(["hardened"] * len(hardened))
        raise SettingsError

    monkeypatch.setattr("bootstrap.main.load_configuration", load)

    assert main([]) == 2
    assert done == ["hardened"]


def test_settings_are_gone_from_the_environment_once_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in infisical_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("server_xkey_seed_file", "/no/such/folder/seed")
    monkeypatch.setenv("UNRELATED", "kept")

    assert main([]) == 2

    assert not [name for name in os.environ if name.upper() in every_variable()]
    assert os.environ["UNRELATED"] == "kept"
