"""The audit trail of a running service: in a file, in a stream, full, rotated and read back."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from domain.model.errors import OtherError, SecretNotFound
from tests.integration.service.conftest import open_writer
from tests.support.command_line import CommandLine
from tests.support.environments import nats_kv_environment
from tests.support.host import connected_host
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.host import Host

Settings = dict[str, str]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def audit_file(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def settings(nats_kv_settings: Settings, audit_file: Path) -> Settings:
    return nats_kv_settings | {"AUDIT_FILE": str(audit_file)}


async def test_log_file_and_stream_hold_the_same_and_tail_shows_both(
    fresh_nats_server: LocalNatsServer, tmp_path: Path, audit_file: Path
) -> None:
    settings = nats_kv_environment(tmp_path) | {
        "NATS_URL": fresh_nats_server.url,
        "NATS_KV_BUCKET": "bucket",
        "AUDIT_FILE": str(audit_file),
        "AUDIT_STREAM": "SECRETS_AUDIT",
        "AUDIT_STREAM_MAX_AGE_DAYS": "1",
    }
    commands = CommandLine(settings, tmp_path)
    tail = ("audit", "tail", "--all", "--no-follow", "--json")
    async with open_writer(settings) as writer:
        await writer.put("KEY", "canary")

    async with (
        ServiceProcess(settings, tmp_path) as service,
        connected_host(fresh_nats_server.url, "wasmcloud.secrets") as host,
    ):
        await host.get("KEY")
        with pytest.raises(SecretNotFound):
            await host.get("ABSENT")
        await service.wait_for("audit.stream_created")
        assert await service.stop() == 0
    from_stream = await commands.run(*tail)
    from_file = await commands.run(*tail, "--file", str(audit_file))
    for_people = await commands.run("audit", "tail", "--no-follow", "--errors-only")

    logged = [
        {name: value for name, value in record.items() if name != "level"}
        for record in service.logged("secret_request")
    ]
    # At start the service asks for its own key, and no service answers: it does not listen yet.
    assert [record["outcome"] for record in logged] == ["answered", "answered", "refused"]
    assert events(audit_file) == logged
    for code, out, err in (from_stream, from_file):
        assert (code, err) == (0, "")
        assert [json.loads(line) for line in out.splitlines()] == logged
    assert for_people[1].count(b"\n") == 1
    assert b"ABSENT" in for_people[1]
    assert "canary" not in str(events(audit_file))


async def test_tail_follows_a_running_service(
    settings: Settings, tmp_path: Path, audit_file: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(settings, tmp_path):
        await host.get("KEY")
        await until(lambda: len(events(audit_file)) == 2)
        process = await CommandLine(settings, tmp_path).start(
            "audit", "tail", "--all", "--file", str(audit_file)
        )
        assert process.stdout is not None
        async with asyncio.timeout(20):
            seen = [await process.stdout.readline() for _ in range(2)]
            with pytest.raises(SecretNotFound):
                await host.get("ABSENT")
            seen.append(await process.stdout.readline())
            process.send_signal(signal.SIGINT)
            await process.communicate()

    assert [word in line for word, line in zip((b"xkey", b"KEY", b"ABSENT"), seen, strict=True)]
    assert process.returncode == 130


def rotate(audit_file: Path) -> None:
    audit_file.rename(audit_file.with_name("audit.log.1"))


async def test_sighup_lets_the_file_be_rotated(
    settings: Settings, tmp_path: Path, audit_file: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(settings, tmp_path) as service:
        await host.get("KEY")
        await until(lambda: len(events(audit_file)) == 2)
        rotate(audit_file)
        service.signal(signal.SIGHUP)
        await service.wait_for("service.signalled")
        await host.get("KEY")
        assert await service.stop() == 0

    assert len(events(audit_file)) == 1
    assert len(events(tmp_path / "audit.log.1")) == 2


def break_file(audit_file: Path) -> None:
    """Replace the file by something that cannot be appended to."""
    audit_file.unlink()
    audit_file.mkdir()


def mend_file(audit_file: Path) -> None:
    """Take it away again."""
    audit_file.rmdir()


async def test_no_secret_leaves_while_the_trail_cannot_be_kept(
    settings: Settings, tmp_path: Path, audit_file: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(settings, tmp_path) as service:
        await host.get("KEY")
        await until(lambda: len(events(audit_file)) == 2)
        break_file(audit_file)
        await host.get("KEY")
        await service.wait_for("audit.file_failed")
        with pytest.raises(OtherError, match="audit trail is full"):
            await host.get("KEY")
        refused = await service.wait_for("secret_request", count=4)
        mend_file(audit_file)
        await service.wait_for("audit.file_recovered")
        assert (await host.get("KEY")).value.reveal() == "value"
        assert await service.stop() == 0

    assert refused["reason"] == "audit_unavailable"
    reasons = [event["reason"] for event in events(audit_file)]
    assert reasons == ["any_valid_entity", "audit_unavailable", "any_valid_entity"]


async def test_secrets_go_on_leaving_where_events_may_be_dropped(
    settings: Settings, tmp_path: Path, audit_file: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")
    given = settings | {"AUDIT_WHEN_FULL": "drop", "AUDIT_BUFFER_BYTES": "1024"}

    async with ServiceProcess(given, tmp_path) as service:
        await host.get("KEY")
        await until(lambda: len(events(audit_file)) == 2)
        break_file(audit_file)
        for _ in range(5):
            await host.get("KEY")
        await service.wait_for("audit.file_dropping")

    assert len(service.logged("secret_request")) == 7


async def test_a_file_that_cannot_be_opened_keeps_the_service_from_starting(
    settings: Settings, tmp_path: Path
) -> None:
    code, service = await run_to_its_end(
        settings | {"AUDIT_FILE": str(tmp_path / "no-folder" / "audit.log")}, tmp_path
    )

    assert code == 2
    assert "AUDIT_FILE" in service.output
    assert "folder" in service.output
    assert not service.logged("nats.connected")


async def test_the_log_can_be_spared_the_trail(
    settings: Settings, tmp_path: Path, audit_file: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(settings | {"AUDIT_LOG": "false"}, tmp_path) as service:
        await host.get("KEY")
        assert await service.stop() == 0

    assert not service.logged("secret_request")
    assert len(events(audit_file)) == 2
