"""Attacks on the audit trail itself: washing it away, and having its events taken for kept."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import nats
import pytest
import pytest_asyncio

from adapters.audit.stream_reader import is_there
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects, own_inbox
from adapters.nats_kv.operating import NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from bootstrap.settings.variables import Variables
from tests.support.environments import nats_kv_environment
from tests.support.host import Host, connected_host
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from bootstrap.local.nats_server import LocalNatsServer

STREAM = "TRAIL"
ROOM = 512 * 1024


@pytest.fixture
def subjects(subject_prefix: str) -> SecretsSubjects:
    return SecretsSubjects(prefix=subject_prefix)


@pytest.fixture
def settings(
    fresh_nats_server: LocalNatsServer, subjects: SecretsSubjects, tmp_path: Path
) -> dict[str, str]:
    return nats_kv_environment(tmp_path) | {
        "NATS_URL": fresh_nats_server.url,
        "NATS_SUBJECT_PREFIX": subjects.prefix,
        "AUDIT_STREAM": STREAM,
        "AUDIT_STREAM_MAX_BYTES": str(ROOM),
        "AUDIT_BUFFER_BYTES": str(ROOM),
        "AUDIT_LOG": "false",
    }


@pytest_asyncio.fixture
async def attacker(fresh_nats_server: LocalNatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(fresh_nats_server.url)
    yield client
    await client.close()


@pytest_asyncio.fixture
async def host(
    fresh_nats_server: LocalNatsServer, subjects: SecretsSubjects
) -> AsyncIterator[Host]:
    async with connected_host(fresh_nats_server.url, subjects.prefix) as connected:
        yield connected


async def kept(client: Client, stream: str) -> list[dict[str, object]]:
    jetstream = client.jetstream()
    state = (await jetstream.stream_info(stream)).state
    numbers = range(state.first_seq, state.last_seq + 1) if state.messages else ()
    messages = [await jetstream.get_msg(stream, seq=number) for number in numbers]
    return [json.loads(message.data or b"") for message in messages]


async def put_secret(settings: dict[str, str], folder: Path) -> None:
    kv = Variables(nats_kv_environment(folder)).load(NatsKvSettings)
    clock = SystemClock()
    async with NatsConnection(NatsSettings(urls=(settings["NATS_URL"],)), clock) as connection:
        writer = NatsKvSecretWriter(
            client=connection.client,
            config=kv,
            encryption_xkey=kv.encryption_xkey(),
            clock=clock,
        )
        await writer.put("KEY", "value")


async def test_a_flood_of_refusals_pushes_no_event_of_a_served_secret_out(
    settings: dict[str, str],
    subjects: SecretsSubjects,
    tmp_path: Path,
    attacker: Client,
    host: Host,
) -> None:
    """Before, 160 requests of 61 KB flushed a stream of 8 MiB."""
    replies = 0

    async def count(_: Msg) -> None:
        nonlocal replies
        replies += 1

    await attacker.subscribe("flood.>", cb=count)
    async with ServiceProcess(settings, tmp_path):
        await put_secret(settings, tmp_path)
        for _ in range(3):
            await host.get("KEY")
        for number in range(2000):
            # 900 bytes that would take 1,800 as JSON.
            operation = "\N{SNOWMAN}" * 300 + str(number)
            await attacker.publish(subjects.of(operation), b"x" * 1000, reply=f"flood.{number}")
        await attacker.flush()
        await until(lambda: replies == 2000)
        await host.get("KEY")

    served, refused = await kept(attacker, STREAM), await kept(attacker, f"{STREAM}_REFUSED")
    assert [event["outcome"] for event in served] == ["answered"] * 4
    assert {event["key"] for event in served} == {"KEY"}
    summaries = [event for event in refused if "count" in event]
    assert sum(int(str(event.get("count", 1))) for event in summaries) > 500
    assert len(refused) < 1000


@pytest.mark.parametrize("below", ["", ".abc", ".abc.def.0"])
async def test_no_replica_answers_into_the_services_inboxes(
    settings: dict[str, str],
    tmp_path: Path,
    attacker: Client,
    host: Host,
    below: str,
) -> None:
    """There an answer could be taken for an acknowledgement, or for a store's answer."""
    subjects = SecretsSubjects(prefix=settings["NATS_SUBJECT_PREFIX"])
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    inbox = f"{own_inbox('_INBOX')}{below}.x"
    await attacker.subscribe(inbox, cb=hear)
    await attacker.subscribe("_INBOX.plain", cb=hear)
    async with ServiceProcess(settings, tmp_path), ServiceProcess(settings, tmp_path):
        for _ in range(20):
            for operation in ("get", "server_xkey"):
                await attacker.publish(subjects.of(operation), b"x", reply=inbox)
        await attacker.publish(subjects.of("get"), b"x", reply="_INBOX.plain")
        await host.channel.request("server_xkey", b"", None, 5)
        await until(lambda: bool(heard))
        await asyncio.sleep(0.2)

    assert {message.subject for message in heard} == {"_INBOX.plain"}


async def test_a_refusal_that_is_sent_in_jetstreams_place_loses_no_event(
    settings: dict[str, str], tmp_path: Path, attacker: Client, host: Host
) -> None:
    """The worst case: an attacker hears the inbox, and answers there while no stream does."""
    forged = 0

    async def answer_first(message: Msg) -> None:
        nonlocal forged
        forged += 1
        await attacker.publish(message.reply, b'{"error": "DecryptionError"}')

    async with ServiceProcess(settings, tmp_path):
        await put_secret(settings, tmp_path)
        await attacker.jetstream().delete_stream(STREAM)
        taking = await attacker.subscribe("wasmcloud.secrets.audit.v1", cb=answer_first)
        await attacker.flush()
        await host.get("KEY")
        await until(lambda: forged > 0)
        await asyncio.sleep(0.2)
        await taking.unsubscribe()
        async with asyncio.timeout(15):
            while not await is_there(attacker, STREAM) or not await kept(attacker, STREAM):  # noqa: ASYNC110  a stream has no event
                await asyncio.sleep(0.1)
        (event,) = await kept(attacker, STREAM)

    assert event["key"] == "KEY"
