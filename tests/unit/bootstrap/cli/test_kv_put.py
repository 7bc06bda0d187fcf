"""`kv put`: where the value comes from, and when nothing is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.bootstrap.cli.kv_rig import CANARY, MemoryKv, run

if TYPE_CHECKING:
    from pathlib import Path


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
    assert result.stderr.startswith("The secret's latest version is not the expected one;")
    assert result.stderr.count("\n") == 1
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


def test_a_program_gets_the_version_that_put_stored(bucket: MemoryKv) -> None:
    result = run("put", "shop/KEY", "--json", stdin=CANARY)

    assert json.loads(result.stdout) == {
        "key": "shop/KEY",
        "version": "1",
        "bytes": len(CANARY),
        "created_bucket": False,
    }
    assert CANARY not in result.output
