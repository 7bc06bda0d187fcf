"""The kv commands on a real bucket."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nats
import pytest
from typer.testing import CliRunner

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli import kv as commands
from tests.integration.nats_kv.kv_under_test import Kv
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.nats_kv.store import NatsKvSecretStore
    from adapters.nats_kv.writer import NatsKvSecretWriter


@pytest.fixture
def _session(nats_url: str, subject_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    xkey = SodiumXKeyPair.generate()

    @asynccontextmanager
    async def open_kv() -> AsyncIterator[tuple[NatsKvSecretStore, NatsKvSecretWriter]]:
        client = await nats.connect(nats_url)
        try:
            kv = Kv(client, kv_settings(bucket=subject_prefix), xkey)
            yield kv.store, kv.writer
        finally:
            await client.close()

    monkeypatch.setattr(commands, "session", lambda: open_kv)


def run(*words: str, stdin: bytes | None = None, exit_code: int = 0) -> str:
    result = CliRunner().invoke(commands.app, list(words), input=stdin)
    assert result.exit_code == exit_code, result.output
    return result.stdout


@pytest.mark.usefixtures("_session")
def test_a_secret_is_written_read_listed_rotated_and_deleted() -> None:
    assert "version 1" in run("put", "app/KEY", "--expect", "0", stdin=b"old\n")
    assert "version 2" in run("put", "app/KEY", "--expect", "1", stdin=b"new\n")
    run("put", "app/KEY", "--expect", "1", stdin=b"lost\n", exit_code=1)

    assert run("get", "app/KEY") == "new\n"
    assert run("get", "/app/KEY", "--version", "1") == "old\n"
    assert run("list", "app/") == "app/KEY\n"
    assert run("history", "app/KEY").count("put") == 2

    run("delete", "app/KEY", "--yes")

    assert run("list") == ""
    run("get", "app/KEY", exit_code=1)
    run("get", "app/KEY", "--version", "1", exit_code=1)
    run("delete", "app/KEY", "--yes", exit_code=1)


@pytest.mark.usefixtures("_session")
def test_reading_before_anything_was_written_names_the_missing_bucket() -> None:
    result = CliRunner().invoke(commands.app, ["list"])

    assert result.exit_code == 1
    assert "There is no bucket" in result.stderr
