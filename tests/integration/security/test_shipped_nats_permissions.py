"""deploy/nats on a real server: each role can do its work, and no more."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.audit.stream_reader import read_stream
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.transport import Operation
from tests.integration.security.roles import (
    SUBJECTS,
    asking_host,
    config_of,
    service_settings,
    store_secret,
)
from tests.integration.security.shipped_permissions import AUDIT, READS, WRITES, asked
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from nats.aio.msg import Msg

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.security.roles import LogIn


@pytest.fixture
def settings(shipped_server: LocalNatsServer, tmp_path: Path) -> dict[str, str]:
    return service_settings(shipped_server, tmp_path) | {"AUDIT_STREAM": AUDIT}


async def test_a_host_asks_and_is_answered_and_the_operator_reads_the_audit_trail(
    shipped_server: LocalNatsServer,
    host_user: str,
    settings: dict[str, str],
    tmp_path: Path,
    log_in: LogIn,
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")

    async with (
        ServiceProcess(settings, tmp_path) as service,
        asking_host(shipped_server, host_user) as host,
    ):
        secret = await host.get("KEY")
        assert await service.stop() == 0

    assert secret.value.reveal() == "value"
    assert "violation" not in service.output.lower()
    async with NatsConnection(config_of(shipped_server, "auditor"), SystemClock()) as auditor:
        lines = read_stream(auditor.client, AUDIT, SystemClock(), since=0, follow=False)
        events = [json.loads(line) async for line in lines]
    assert [event["key"] for event in events if event["operation"] == Operation.GET] == ["KEY"]


async def test_a_second_replica_sees_that_the_first_has_the_same_key(
    shipped_server: LocalNatsServer, settings: dict[str, str], tmp_path: Path
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    other = settings | {"SERVER_XKEY_SEED_FILE": str(tmp_path / "another.seed")}

    async with ServiceProcess(settings, tmp_path) as first, ServiceProcess(settings, tmp_path):
        third = ServiceProcess(other, tmp_path)
        await third.start()
        assert await third.exit_code() != 0
        assert "violation" not in first.output.lower()


@pytest.mark.parametrize(
    "subject", [SUBJECTS.of("server_xkey"), SUBJECTS.of("get"), "wasmcloud.secrets.>"]
)
async def test_a_rogue_responder_among_the_hosts_cannot_subscribe(
    shipped_server: LocalNatsServer, host_user: str, log_in: LogIn, subject: str
) -> None:
    rogue = await log_in(shipped_server, host_user)

    assert not await rogue.may_subscribe(subject)
    assert not await rogue.may_subscribe(subject, SUBJECTS.queue_group)


async def test_a_rogue_responder_with_a_wider_subscription_hears_no_request(
    shipped_server: LocalNatsServer,
    host_user: str,
    settings: dict[str, str],
    tmp_path: Path,
    log_in: LogIn,
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    rogue = await log_in(shipped_server, host_user)
    heard: list[str] = []

    async def hear(message: object) -> None:
        heard.append(getattr(message, "subject", ""))

    for subject in (">", "wasmcloud.>", "*.*.*.*.*"):
        await rogue.client.subscribe(subject, cb=hear)
    await rogue.client.flush()

    async with (
        ServiceProcess(settings, tmp_path),
        asking_host(shipped_server, host_user) as host,
    ):
        await host.get("KEY")
    await rogue.client.flush()

    assert [subject for subject in heard if subject.startswith("wasmcloud.")] == []


async def test_a_host_reads_and_writes_neither_the_bucket_nor_the_audit_stream(
    shipped_server: LocalNatsServer,
    host_user: str,
    settings: dict[str, str],
    tmp_path: Path,
    log_in: LogIn,
) -> None:
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    async with ServiceProcess(settings, tmp_path):
        host = await log_in(shipped_server, host_user)
        answers = await asyncio.gather(*(asked(host, subject) for subject in READS + WRITES))
        audit = await asked(host, "wasmcloud.secrets.audit.v1")

    assert all(answer is None or "error" in answer for answer in answers)
    assert audit is None


async def test_the_backend_can_do_no_more_than_it_must(
    shipped_server: LocalNatsServer, log_in: LogIn
) -> None:
    backend = await log_in(shipped_server, "backend")
    forbidden = [
        *WRITES,
        *(read for read in READS if AUDIT in read and "INFO" not in read),
        *(read for read in READS if "CONSUMER" in read or "SNAPSHOT" in read),
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.CREATE.OTHER",
        SUBJECTS.of("get"),
        "wasmbus.ctl.v1.default.component.auction",
        "anything.else",
    ]

    taken = [subject for subject in forbidden if await backend.may_publish(subject)]

    assert taken == []
    for subject in (">", "wasmcloud.secrets.>", SUBJECTS.every_operation, "$KV.>", "wasmbus.>"):
        assert not await backend.may_subscribe(subject)
    assert await backend.may_subscribe(SUBJECTS.every_operation, SUBJECTS.queue_group)


async def test_the_operator_cannot_ask_as_a_host_nor_answer_as_the_backend(
    shipped_server: LocalNatsServer, log_in: LogIn
) -> None:
    operator = await log_in(shipped_server, "operator")

    for subject in (SUBJECTS.of("get"), SUBJECTS.of("server_xkey"), "wasmcloud.secrets.audit.v1"):
        assert not await operator.may_publish(subject)
        assert not await operator.may_subscribe(subject)


async def test_only_the_backend_tells_and_hears_of_refused_logins(
    shipped_server: LocalNatsServer, host_user: str, log_in: LogIn
) -> None:
    subject = "wasmcloud.secrets.control.infisical.login_refused"
    backend = await log_in(shipped_server, "backend")
    operator = await log_in(shipped_server, "operator")
    host = await log_in(shipped_server, host_user)

    assert await backend.may_publish(subject)
    assert await backend.may_subscribe(subject)
    # What a host of another account publishes stays in that account.
    assert host_user == "host-a" or not await host.may_publish(subject)
    assert not await host.may_subscribe(subject)
    assert not await operator.may_publish(subject)
    assert not await operator.may_subscribe(subject)


async def test_nobody_logs_in_without_a_password(shipped_server: LocalNatsServer) -> None:
    connection = NatsConnection(NatsSettings(urls=(shipped_server.url,)), SystemClock())

    with pytest.raises(NatsConnectError):
        await connection.open()


async def test_a_host_overhears_the_answers_to_hosts_alone_and_they_are_sealed(
    shipped_server: LocalNatsServer,
    host_user: str,
    settings: dict[str, str],
    tmp_path: Path,
    log_in: LogIn,
) -> None:
    """Neither the store's answers nor JetStream's acknowledgements, in one account either."""
    await store_secret(shipped_server, tmp_path, "KEY", "canary-value")
    listener = await log_in(shipped_server, host_user)
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    async with (
        ServiceProcess(settings, tmp_path),
        asking_host(shipped_server, host_user) as host,
    ):
        await listener.client.subscribe("_INBOX.>", cb=hear)
        await listener.client.flush()
        await host.get("KEY")
        await asyncio.sleep(0.3)  # until the event is acknowledged
        await listener.client.flush()

    assert not any(b"canary-value" in message.data for message in heard)
    assert len([message for message in heard if message.data.startswith(b"xkv1")]) == 1
    assert not [message for message in heard if ".secrets-backend." in message.subject]
    assert not [message for message in heard if b'"stream"' in message.data]


async def test_in_one_account_a_host_cannot_answer_in_the_stores_place(
    permissions_server: LocalNatsServer, log_in: LogIn
) -> None:
    host = await log_in(permissions_server, "host")

    assert not await host.may_publish("_INBOX.anybody.at.all", b"forged")
