"""`policy draft` and `policy import-nats-kv`: what they write, and how they end."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from adapters.access_policy import draft_from_mappings
from adapters.access_policy.draft_from_mappings import MappingsError
from adapters.nats.connect_errors import NatsConnectError
from bootstrap.cli import policy
from tests.support.audit_text import audit_line
from tests.unit.adapters.access_policy.policies import COMPONENT, request
from tests.unit.adapters.access_policy.test_policy_draft_from_audit import event_of
from tests.unit.bootstrap.cli.policy_commands_rig import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client


LINE = audit_line(event_of(request())) + b"\n"


def test_draft_reads_standard_input_or_files_and_prints_a_draft(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(LINE)

    from_input = run("draft", stdin=LINE)
    from_files = run("draft", str(log), str(log))

    assert from_input.exit_code == from_files.exit_code == 0
    assert "It stands on 1 requests." in from_input.stdout
    assert "It stands on 2 requests." in from_files.stdout
    assert '"/payments/API_KEY"' in from_input.stdout
    assert from_input.stderr == ""


def test_draft_counts_what_it_left_out(tmp_path: Path) -> None:
    result = run("draft", stdin=LINE + b"Starting\n")

    assert result.exit_code == 0
    assert result.stderr == "Left out: 1 broken lines.\n"


def test_draft_writes_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    output = tmp_path / "draft.yaml"

    result = run("draft", "-o", str(output), stdin=LINE)

    assert result.exit_code == 0
    assert "policy check" in result.stdout
    assert "FILL-IN-1" in output.read_text()
    again = run("draft", "-o", str(output), stdin=LINE)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    nowhere = run("draft", "-o", str(tmp_path / "none" / "draft"), stdin=LINE)
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)


def test_draft_of_a_log_without_requests_fails(tmp_path: Path) -> None:
    empty = run("draft", stdin=b"")
    missing = run("draft", str(tmp_path / "none.log"))

    assert (empty.exit_code, "no answered request" in empty.stderr) == (1, True)
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)


class _Failing:
    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Client]:
        raise self._failure
        yield


def test_import_writes_what_the_mappings_allow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    @asynccontextmanager
    async def open_nats() -> AsyncIterator[None]:
        yield None

    async def read_mappings(_: object, backend: str) -> dict[str, bytes]:
        asked.append(backend)
        return {COMPONENT: json.dumps(["a", "/b"]).encode()}

    monkeypatch.setattr(policy, "open_nats", open_nats)
    monkeypatch.setattr(draft_from_mappings, "read_mappings", read_mappings)

    result = run("import-nats-kv", "--bucket-name", "old")

    assert result.exit_code == 0
    assert asked == ["old"]
    assert '- "/a"' in result.stdout
    assert "FILL-IN" in result.stdout
    assert result.stderr.startswith(f'Left out: {COMPONENT} may read "/b"')


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (MappingsError("No bucket."), "No bucket.\n"),
        (NatsConnectError("NATS is away.", reason="unreachable"), "NATS is away.\n"),
        (ValueError("canary"), "ValueError"),
    ],
)
def test_import_fails_in_one_line(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, said: str
) -> None:
    monkeypatch.setattr(policy, "open_nats", _Failing(failure))

    result = run("import-nats-kv")

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "canary" not in result.stderr
    assert result.stderr.count("\n") == 1
