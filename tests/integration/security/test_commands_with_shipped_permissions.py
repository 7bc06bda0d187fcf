"""Commands that ask as a host, with deploy/nats as it is: only a host's login may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.security.roles import (
    SUBJECTS,
    jetstream_prefix,
    service_settings,
    store_secret,
    url_of,
)
from tests.support.command_line import CommandLine
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer


def command_line(server: LocalNatsServer, user: str, folder: Path) -> CommandLine:
    """Return a command line that logs in to NATS as that user."""
    settings = {
        "NATS_URL": url_of(server, user),
        "SERVER_XKEY_SEED_FILE": str(folder / "server.seed"),
    }
    return CommandLine(settings, folder)


@pytest.mark.parametrize(
    ("user", "denied"),
    [("backend", SUBJECTS.of("get")), ("operator", SUBJECTS.of("server_xkey"))],
)
@pytest.mark.parametrize("command", ["keys rotate --replicas 1", "request KEY"])
async def test_who_may_not_ask_is_told_which_permission_is_missing(
    shipped_server: LocalNatsServer, tmp_path: Path, user: str, denied: str, command: str
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")

    async with ServiceProcess(service_settings(shipped_server, tmp_path), tmp_path):
        code, out, err = await command_line(shipped_server, user, tmp_path).run(*command.split())

    assert (code, out) == (1, b"")
    assert f"no permission to publish to {denied}" in err
    assert "log in as a host" in err
    # The server's own word, once, beside the advice.
    assert err.count("nats.permission_denied") == 1
    assert len(err.splitlines()) == 2
    assert not (tmp_path / "server.seed.next").exists()


async def test_a_host_takes_the_first_step_of_a_rotation_and_asks_for_a_secret(
    shipped_server: LocalNatsServer, host_user: str, tmp_path: Path
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    as_host = command_line(shipped_server, host_user, tmp_path)

    async with ServiceProcess(service_settings(shipped_server, tmp_path), tmp_path):
        rotated, out, err = await as_host.run("keys", "rotate", "--replicas", "1")
        asked, value, _ = await as_host.run("request", "KEY")

    assert (rotated, err) == (0, "")
    assert "Step 1 of 3" in out.decode()
    assert (asked, value) == (0, b"value")


def as_person(server: LocalNatsServer, user: str, folder: Path) -> CommandLine:
    """Return the command line of a person, with the settings that docs/nats-accounts.md names."""
    settings = service_settings(server, folder) | {
        "NATS_URL": url_of(server, user),
        "NATS_JETSTREAM_PREFIX": jetstream_prefix(server, user),
    }
    return CommandLine(settings, folder)


async def test_the_operator_stores_and_flushes_on_every_replica_and_the_auditor_reads(
    shipped_server: LocalNatsServer, host_user: str, tmp_path: Path
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    settings = service_settings(shipped_server, tmp_path) | {"AUDIT_STREAM": "SECRETS_AUDIT"}
    operator = as_person(shipped_server, "operator", tmp_path)
    auditor = as_person(shipped_server, "auditor", tmp_path)

    async with ServiceProcess(settings, tmp_path), ServiceProcess(settings, tmp_path):
        stored, _, err = await operator.run("kv", "put", "OTHER", stdin=b"new")
        assert (stored, err) == (0, "")
        listed, keys, _ = await operator.run("kv", "list")
        read, value, _ = await operator.run("kv", "get", "OTHER", "--raw")
        flushed, replicas, err = await operator.run("cache", "flush", "--all")
        as_host = command_line(shipped_server, host_user, tmp_path)
        assert (await as_host.run("request", "KEY"))[:2] == (0, b"value")
        assert (await as_host.run("request", "MISSING"))[0] == 1
        tailed, events, _ = await auditor.run("audit", "tail", "--no-follow")

    assert (listed, keys.split()) == (0, [b"KEY", b"OTHER"])
    assert (read, value) == (0, b"new")
    assert flushed == 0, err
    rows = [line for line in replicas.decode().splitlines() if ":" in line]
    assert len(rows) == 2
    assert tailed == 0
    assert b"answered" in events
    assert b"MISSING" in events
