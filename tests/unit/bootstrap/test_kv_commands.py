"""The kv commands, over a bucket in memory in place of the session that would connect."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import pytest
from typer.testing import CliRunner, Result

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats_kv.catalog import Revision
from adapters.nats_kv.entry import Operation
from adapters.nats_kv.value_cipher import read_value
from adapters.nats_kv.writer import OtherKeyError, VersionConflictError
from bootstrap.cli import kv, kv_common
from domain.model.errors import SecretNotFound, UpstreamError
from domain.model.secret import Secret
from ports.store_check import StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CANARY = "canary-0b8f4d"


class MemoryKv:
    """Reader, writer, catalog and sessions at once. Deletions leave no trace.

    Attributes:
        is_missing: there is no bucket, until a command may create it.
        other_key: the values are another key's.
        opened: what the commands opened.
    """

    def __init__(self) -> None:
        self.is_missing = self.other_key = self.created_bucket = False
        self.opened: list[str] = []
        self.versions: dict[str, list[bytes]] = {}
        self.history_kept: bool | None = None
        self.failure: Exception | None = None

    async def get(self, key: str, version: str | None = None) -> Secret:
        self._fail()
        versions = self.versions.get(key)
        if not versions or (version is not None and int(version) > len(versions)):
            raise SecretNotFound("Nothing is stored under that key.")
        number = len(versions) if version is None else int(version)
        return Secret(str(number), read_value(versions[number - 1]))

    @asynccontextmanager
    async def open_kv(self, *, create_bucket: bool = False) -> AsyncIterator[tuple[Self, Self]]:
        self.opened.append("kv")
        if self.is_missing and not create_bucket:
            raise UpstreamError("There is no bucket.")
        self.created_bucket = self.is_missing
        yield self, self

    @asynccontextmanager
    async def open_catalog(self) -> AsyncIterator[Self]:
        self.opened.append("catalog")
        yield self

    async def put(
        self,
        key: str,
        value: str | bytes,
        expected: str | None = None,
        *,
        any_key: bool = False,
    ) -> str:
        self._fail()
        if self.other_key and not any_key:
            raise OtherKeyError("Nothing was stored: none of the 3 looked at opens.")
        assert isinstance(value, bytes)
        versions = self.versions.setdefault(key, [])
        if expected is not None and expected != str(len(versions)):
            raise VersionConflictError("The latest version is not the expected one.")
        versions.append(value)
        return str(len(versions))

    async def history(self, key: str) -> list[Revision]:
        self._fail()
        return [
            Revision(str(number), datetime(2027, 1, number, tzinfo=UTC), Operation.PUT, len(value))
            for number, value in enumerate(self.versions[key], 1)
        ]

    async def keys(self, prefix: str = "") -> list[str]:
        self._fail()
        return sorted(key for key in self.versions if key.startswith(prefix))

    async def delete(self, key: str, *, keep_history: bool = False) -> None:
        self._fail()
        self.history_kept = keep_history
        del self.versions[key]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> MemoryKv:
    memory = MemoryKv()
    monkeypatch.setattr(kv_common, "sessions", lambda: memory)
    return memory


def run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(kv.app, list(words), input=stdin)


def test_put_stores_standard_input_without_its_last_newline(bucket: MemoryKv) -> None:
    result = run("put", "payments/API_KEY", stdin=f"{CANARY}\n")

    assert result.exit_code == 0
    assert bucket.versions == {"payments/API_KEY": [CANARY.encode()]}
    assert f"payments/API_KEY as version 1 ({len(CANARY)} bytes)" in result.output
    assert CANARY not in result.output


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(b"a\n\n", b"a\n"), (b"a\r\n", b"a"), (b"a", b"a"), (b"", b""), (b"\xff\n", b"\xff")],
)
def test_put_drops_one_newline_and_nothing_else(
    bucket: MemoryKv, typed: bytes, stored: bytes
) -> None:
    run("put", "KEY", stdin=typed)

    assert bucket.versions == {"KEY": [stored]}


def test_put_keeps_the_newline_when_told_to(bucket: MemoryKv) -> None:
    run("put", "KEY", "--keep-newline", stdin="a\n")

    assert bucket.versions == {"KEY": [b"a\n"]}


def test_put_stores_a_files_exact_bytes(bucket: MemoryKv, tmp_path: Path) -> None:
    path = tmp_path / "certificate"
    path.write_bytes(b"\x00\xff\n")

    assert run("put", "KEY", "--file", str(path)).exit_code == 0
    assert bucket.versions == {"KEY": [b"\x00\xff\n"]}


def test_put_asks_twice_and_shows_nothing_typed(bucket: MemoryKv) -> None:
    result = run("put", "KEY", "--prompt", stdin=f"{CANARY}\n{CANARY}\n")

    assert result.exit_code == 0
    assert bucket.versions == {"KEY": [CANARY.encode()]}
    assert CANARY not in result.output


def test_put_takes_no_value_from_the_command_line(bucket: MemoryKv) -> None:
    assert run("put", "KEY", "value").exit_code == 2
    assert run("put", "KEY", "--value", "value").exit_code == 2
    assert bucket.versions == {}


def test_put_refuses_two_sources(bucket: MemoryKv, tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.touch()

    result = run("put", "KEY", "--prompt", "--file", str(path))

    assert (result.exit_code, bucket.versions) == (2, {})
    assert "not both" in result.stderr


def test_put_with_a_stale_expectation_fails_in_one_line(bucket: MemoryKv) -> None:
    run("put", "KEY", stdin="one")

    result = run("put", "KEY", "--expect", "0", stdin="two")

    assert result.exit_code == 1
    assert result.stderr == "The latest version is not the expected one.\n"
    assert bucket.versions == {"KEY": [b"one"]}


def test_put_with_another_key_than_the_values_stores_nothing(bucket: MemoryKv) -> None:
    bucket.other_key = True

    refused = run("put", "KEY", stdin="value")

    assert (refused.exit_code, bucket.versions) == (1, {})
    assert "Nothing was stored" in refused.stderr
    assert "--force" in refused.stderr

    assert run("put", "KEY", "--force", stdin="value").exit_code == 0
    assert bucket.versions == {"KEY": [b"value"]}


def test_put_creates_a_bucket_only_when_told_to_and_says_so(bucket: MemoryKv) -> None:
    bucket.is_missing = True

    assert run("put", "KEY", stdin="value").exit_code == 1
    assert bucket.versions == {}

    created = run("put", "KEY", "--create-bucket", stdin="value")
    assert created.exit_code == 0
    assert "Created the bucket" in created.output


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


def test_a_program_gets_the_version_that_put_stored(bucket: MemoryKv) -> None:
    result = run("put", "shop/KEY", "--json", stdin=CANARY)

    assert json.loads(result.stdout) == {
        "key": "shop/KEY",
        "version": "1",
        "bytes": len(CANARY),
        "created_bucket": False,
    }
    assert CANARY not in result.output
