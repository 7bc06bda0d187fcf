"""The kv commands, over a bucket in memory in place of the session that would connect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from adapters.nats.connect_errors import NatsConnectError
from domain.model.errors import SecretNotFound, UpstreamError
from ports.store_check import StoreUnreachableError
from tests.unit.bootstrap.cli.kv_rig import CANARY, MemoryKv, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [("list",), ("history", "KEY"), ("delete", "KEY", "--yes")])
def test_commands_without_values_need_no_key(bucket: MemoryKv, words: tuple[str, ...]) -> None:
    bucket.versions["KEY"] = [b"value"]

    assert run(*words).exit_code == 0
    assert bucket.opened == ["catalog"]


def test_keys_and_history_are_written_as_json_for_programs(bucket: MemoryKv) -> None:
    bucket.versions = {"a/\x1b[1m": [b""], "b": [b"old", b"new one"]}

    assert json.loads(run("list", "--json").stdout) == ["a/\x1b[1m", "b"]
    assert json.loads(run("history", "b", "--json").stdout) == [
        {"version": "1", "written": "2027-01-01T00:00:00+00:00", "operation": "put", "bytes": 3},
        {"version": "2", "written": "2027-01-02T00:00:00+00:00", "operation": "put", "bytes": 7},
    ]


def test_get_prints_a_text_as_it_is(bucket: MemoryKv) -> None:
    bucket.versions["KEY"] = [b"[bold]old[/bold]", "n\u00e4w ".encode() + b"x" * 200]

    assert run("get", "KEY").stdout == "n\u00e4w " + "x" * 200 + "\n"
    assert run("get", "KEY", "--version", "1").stdout == "[bold]old[/bold]\n"


def test_get_raw_writes_exact_bytes(bucket: MemoryKv) -> None:
    bucket.versions = {"TEXT": [b"text"], "BINARY": [b"\x00\xff\n"]}

    assert run("get", "TEXT", "--raw").stdout_bytes == b"text"
    assert run("get", "BINARY", "--raw").stdout_bytes == b"\x00\xff\n"


def test_get_does_not_spill_binary_into_a_terminal(bucket: MemoryKv) -> None:
    bucket.versions["KEY"] = [b"\x00\xff\n"]

    result = run("get", "KEY")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "3 bytes" in result.stderr


def test_get_writes_a_file_only_its_owner_reads_and_never_over_another(
    bucket: MemoryKv, tmp_path: Path
) -> None:
    bucket.versions["KEY"] = [b"\x00\xff"]
    path = tmp_path / "value"

    assert run("get", "KEY", "--output", str(path)).exit_code == 0
    assert path.read_bytes() == b"\x00\xff"
    assert path.stat().st_mode & 0o777 == 0o600

    again = run("get", "KEY", "--output", str(path))
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert run("get", "KEY", "--output", str(tmp_path / "none" / "value")).exit_code == 2


def test_list_prints_one_key_a_line_and_points_out_what_no_request_reaches(
    bucket: MemoryKv,
) -> None:
    bucket.versions = {"a/B": [b""], "/a": [b""], "c": [b""], "\x1b[1m": [b""]}

    result = run("list")

    assert result.stdout.splitlines() == ["\\x1b[1m", "/a", "a/B", "c"]
    assert "2 of these keys" in result.stderr
    assert run("list", "a/").stdout == "a/B\n"


def test_history_lists_versions_without_values(bucket: MemoryKv) -> None:
    bucket.versions["KEY"] = [CANARY.encode(), b""]

    result = run("history", "KEY")

    heading, line, *rows = [line.split() for line in result.stdout.splitlines()]
    assert heading == ["version", "written", "operation", "bytes"]
    assert set(line[0]) == {"─"}
    assert rows == [
        ["1", "2027-01-01", "00:00:00+00:00", "put", str(len(CANARY))],
        ["2", "2027-01-02", "00:00:00+00:00", "put", "0"],
    ]


def test_delete_asks_first(bucket: MemoryKv) -> None:
    bucket.versions["KEY"] = [b"value"]

    refused = run("delete", "KEY", stdin="n\n")
    assert refused.exit_code == 1
    assert "all its versions" in refused.output
    assert "KEY" in bucket.versions

    assert run("delete", "KEY", stdin="y\n").exit_code == 0
    assert (bucket.versions, bucket.history_kept) == ({}, False)


def test_delete_can_keep_the_history_and_need_no_answer(bucket: MemoryKv) -> None:
    bucket.versions["KEY"] = [b"value"]

    assert run("delete", "KEY", "--keep-history", "--yes").exit_code == 0
    assert bucket.history_kept is True


@pytest.mark.parametrize(
    "words",
    [
        ("put", "KEY"),
        ("get", "KEY"),
        ("list",),
        ("history", "KEY"),
        ("delete", "KEY", "--yes"),
    ],
)
@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (SecretNotFound("Nothing [there]."), "Nothing [there].\n"),
        (UpstreamError("NATS is away; " + "check it. " * 20), "NATS is away"),
        (StoreUnreachableError("No answer."), "No answer.\n"),
        (NatsConnectError("Set NATS_URL.", reason="refused"), "Set NATS_URL.\n"),
        (ValueError(CANARY), "ValueError"),
    ],
)
def test_every_failure_is_one_line_on_standard_error(
    bucket: MemoryKv, words: tuple[str, ...], failure: Exception, line: str
) -> None:
    bucket.failure = failure

    result = run(*words, stdin="value")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert CANARY not in result.output


@pytest.mark.parametrize("value", [b"\x1b[2Jgone", b"a\rb", "\u202eabc".encode(), b"\xc2\x9b31m"])
def test_get_shows_a_value_that_could_steer_the_terminal_with_raw_only(
    bucket: MemoryKv, value: bytes
) -> None:
    bucket.versions = {"KEY": [value]}

    refused = run("get", "KEY")

    assert (refused.exit_code, refused.stdout_bytes) == (1, b"")
    assert "--raw" in refused.stderr
    assert run("get", "KEY", "--raw").stdout_bytes == value
