"""Each line of `check` about NATS, other replicas and the bucket, with its exit code."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nats
import pytest
from nats.js.api import StreamConfig

from adapters.audit.stream_names import DEFAULT_SUBJECT
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.clock import SystemClock
from tests.integration.service.looking import Look, Settings, said
from tests.support.command_line import CommandLine
from tests.support.environments import new_xkey_seed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.msg import Msg

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.integration.conftest import StartNatsServer


async def test_a_server_that_carries_little_is_a_warning(
    look: Look, seeded_settings: Settings, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server("max_payload: 65536", jetstream=True)

    findings = await look(seeded_settings | {"NATS_URL": server.url, "MAX_REQUEST_BYTES": "65536"})

    assert "max_payload is 65536 bytes" in said(findings, "warning", "NATS")
    assert findings.exit_code == 0


async def test_a_server_that_does_not_carry_hosts_requests_is_a_failure(
    look: Look, seeded_settings: Settings, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server("max_payload: 1900", jetstream=True)

    findings = await look(seeded_settings | {"NATS_URL": server.url})

    assert "disconnects hosts" in said(findings, "failed", "NATS")
    assert findings.exit_code == 1


async def test_it_says_which_hosts_can_reach_the_service(
    look: Look, seeded_settings: Settings, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server(
        "accounts { ELSEWHERE { users: [{user: b, password: b}], jetstream: enabled } }\n"
        "no_auth_user: b",
        jetstream=True,
    )

    findings = await look(seeded_settings | {"NATS_URL": server.url})

    assert "account ELSEWHERE: hosts of this account" in said(findings, "ok", "NATS")


@pytest.mark.parametrize(("seconds", "words"), [(60, "ahead of NATS"), (-60, "behind NATS")])
async def test_a_clock_that_is_off_is_a_failure(
    look: Look,
    seeded_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    seconds: int,
    words: str,
) -> None:
    true_time = SystemClock().now
    monkeypatch.setattr(SystemClock, "now", lambda _: true_time() + seconds)

    findings = await look(seeded_settings)

    assert words in said(findings, "failed", "clock")
    assert findings.exit_code == 1


async def test_a_server_that_does_not_tell_its_streams_is_a_warning(
    look: Look, seeded_settings: Settings, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server()

    findings = await look(seeded_settings | {"NATS_URL": server.url, "AUDIT_STREAM": "AUDIT"})

    assert "does not tell this user of AUDIT" in said(findings, "warning", "audit")
    assert findings.exit_code == 1
    assert said(findings, "failed", "store")


@pytest.mark.parametrize(
    ("subject", "level", "code"),
    [(DEFAULT_SUBJECT, "ok", 0), ("elsewhere.>", "misconfigured", 2)],
)
async def test_a_stream_must_take_the_audits_subject(
    look: Look,
    seeded_settings: Settings,
    start_nats_server: StartNatsServer,
    *,
    subject: str,
    level: str,
    code: int,
) -> None:
    server = await start_nats_server(jetstream=True)
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(StreamConfig(name="AUDIT", subjects=[subject]))
    await client.close()

    findings = await look(seeded_settings | {"NATS_URL": server.url, "AUDIT_STREAM": "AUDIT"})

    assert f"AUDIT_STREAM: AUDIT {'takes' if code == 0 else 'does not take'} " in said(
        findings, level, "audit"
    )
    assert findings.exit_code == code


@asynccontextmanager
async def replica(settings: Settings, seed: str) -> AsyncIterator[None]:
    """Announce the key of a seed as a running replica does."""
    client = await nats.connect(settings["NATS_URL"])
    key = SodiumXKeyPair.from_seed(seed).public

    async def announce(message: Msg) -> None:
        await message.respond(key.encode())

    subject = f"{settings['NATS_SUBJECT_PREFIX']}.v1alpha1.{settings['BACKEND_NAME']}.server_xkey"
    await client.subscribe(subject, cb=announce)
    await client.flush()
    yield
    await client.close()


@pytest.mark.parametrize(
    ("known_as", "level", "words", "code"),
    [
        ("SERVER_XKEY_SEED", "ok", "announces the same server key", 0),
        ("SERVER_XKEY_RETIRED_SEEDS", "warning", "a key that is retired here", 0),
        ("nothing", "failed", "announces another server key", 1),
    ],
)
async def test_another_replicas_key_is_compared(
    look: Look, seeded_settings: Settings, *, known_as: str, level: str, words: str, code: int
) -> None:
    seed = new_xkey_seed()

    async with replica(seeded_settings, seed):
        findings = await look(seeded_settings | {known_as: seed})

    assert words in said(findings, level, "replicas")
    assert findings.exit_code == code


async def test_values_of_another_key_among_ones_own_are_a_warning(
    look: Look, nats_kv_settings: Settings, tmp_path: Path, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "canary-value")
    other = {"ENCRYPTION_XKEY_SEED_FILE": "", "ENCRYPTION_XKEY_SEED": new_xkey_seed()}
    command = CommandLine(nats_kv_settings | other, tmp_path)
    await command.run("kv", "put", "FOREIGN", "--force", stdin=b"canary-foreign")

    findings = await look(nats_kv_settings)

    warnings = said(findings, "warning", "store")
    assert "sealed with another key" in warnings
    assert "unreadable: 1, looked_at: 2" in warnings
    assert findings.exit_code == 0
