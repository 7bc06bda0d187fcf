"""What the exit codes of the process say: 1 may pass, 2 needs the configuration put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import CommandLine
from tests.support.environments import new_xkey_seed
from tests.support.service_process import run_to_its_end

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter

Settings = dict[str, str]

NOT_INSTALLED = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if (name + ".").startswith({missing!r} + "."):
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, NotInstalled())
"""
"""What Python itself imports first, in each process: to it one package is missing."""


def without(folder: Path, missing: str) -> Settings:
    """Return the environment in which a package is not installed."""
    (folder / "sitecustomize.py").write_text(NOT_INSTALLED.format(missing=missing))
    return {"PYTHONPATH": str(folder)}


WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@WORKERS
async def test_all_files_that_cannot_be_used_are_named_at_once(
    nats_kv_settings: Settings, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "server.seed").write_text("canary")
    (tmp_path / "policy.yaml").write_text("version: 7\n")
    (tmp_path / "nats.seed").write_text("SU\u200bcanary")
    (tmp_path / "ca.pem").write_text("canary")
    wrong = {
        "WORKERS": workers,
        "AUDIT_FILE": str(tmp_path / "absent" / "audit.log"),
        "ACCESS_POLICY_FILE": str(tmp_path / "policy.yaml"),
        "ENCRYPTION_XKEY_SEED_FILE": str(tmp_path / "nowhere" / "encryption.seed"),
        "NATS_NKEY_SEED_FILE": str(tmp_path / "nats.seed"),
        "NATS_TLS_CA_FILE": str(tmp_path / "ca.pem"),
    }

    code, service = await run_to_its_end(nats_kv_settings | wrong, tmp_path)

    assert code == 2
    for name in (
        "AUDIT_FILE names a file that cannot be opened (folder_missing)",
        "ACCESS_POLICY_FILE line 1",
        "ENCRYPTION_XKEY_SEED_FILE names a file in a folder that does not exist",
        "NATS_NKEY_SEED_FILE cannot be used",
        "NATS_TLS_CA_FILE must name certificates",
        "SERVER_XKEY_SEED_FILE names a file that holds a character",
    ):
        assert f"  - {name}" in service.output
    # Once, however many workers there are.
    assert service.output.count("AUDIT_FILE") == 1
    assert "canary" not in service.output
    assert not (tmp_path / "absent").exists()


async def test_wrong_files_are_named_beside_wrong_settings(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    wrong = {
        "MAX_IN_FLIGHT": "many",
        "AUDIT_FILE": str(tmp_path / "absent" / "audit.log"),
        "NATS_USER": "me",
    }

    code, service = await run_to_its_end(nats_kv_settings | wrong, tmp_path)

    assert code == 2
    for name in ("MAX_IN_FLIGHT", "AUDIT_FILE", "NATS_PASSWORD"):
        assert f"  - {name} " in service.output


@pytest.mark.parametrize("missing", ["opentelemetry", "opentelemetry.exporter", "requests"])
async def test_traces_without_the_extra_end_it_with_code_2(
    nats_kv_settings: Settings, tmp_path: Path, missing: str
) -> None:
    wrong = {"TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"} | without(tmp_path, missing)

    code, service = await run_to_its_end(nats_kv_settings | wrong, tmp_path)

    assert code == 2
    assert 'pip install "wasmcloud-secrets[otel]"' in service.output


@WORKERS
async def test_a_wrong_encryption_seed_and_a_stream_that_cannot_work_are_both_said(
    nats_kv_settings: Settings, tmp_path: Path, writer: NatsKvSecretWriter, workers: str
) -> None:
    await writer.put("KEY", "value")
    wrong = {
        "WORKERS": workers,
        "ENCRYPTION_XKEY_SEED_FILE": "",
        "ENCRYPTION_XKEY_SEED": new_xkey_seed(),
        # Streams of more than one replica need a cluster.
        "AUDIT_STREAM": "AUDIT_EXIT_CODES",
        "AUDIT_STREAM_REPLICAS": "3",
    }

    code, service = await run_to_its_end(nats_kv_settings | wrong, tmp_path)

    advices = {record["advice"] for record in service.logged("service.failed")}
    assert code == 2
    assert any("none of the 1 looked at opens" in advice for advice in advices)
    assert any("AUDIT_EXIT_CODES" in advice for advice in advices)


@pytest.mark.parametrize(
    "arguments",
    [("kv", "list"), ("kv", "get", "KEY"), ("request", "KEY"), ("cache", "flush", "--all")],
)
async def test_commands_that_are_misconfigured_end_with_code_2(
    nats_kv_settings: Settings, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    command = CommandLine(nats_kv_settings | {"NATS_URL": "ftp://nowhere"}, tmp_path)

    code, _, said = await command.run(*arguments)

    assert code == 2
    assert "The configuration needs attention" in said
