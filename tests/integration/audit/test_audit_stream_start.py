"""What the audit stream is made with at the start, and where the service does not start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from nats.js.api import StreamConfig

from adapters.audit.sink import AuditSinkError
from adapters.audit.stream import AuditStream
from adapters.system.clock import SystemClock
from tests.contracts.audit import ANSWERED, ids, numbered
from tests.integration.audit.audit_stream_rig import connect, request_ids

if TYPE_CHECKING:
    from nats.aio.client import Client

    from adapters.audit.stream_config import AuditStreamConfig
    from tests.integration.conftest import StartNatsServer


async def test_a_missing_stream_is_made_with_limits(
    client: Client, config: AuditStreamConfig
) -> None:
    sink = AuditStream(client, config, SystemClock())
    await sink.start()
    await sink.aclose()

    made = (await client.jetstream().stream_info(config.stream)).config
    assert made.subjects == [config.subject]
    assert (made.max_age, made.max_bytes) == (config.max_age_seconds, config.max_bytes)


async def test_a_stream_that_is_there_is_left_as_it_is(
    client: Client, config: AuditStreamConfig
) -> None:
    subjects = [f"{config.stream}.>"]
    await client.jetstream().add_stream(
        StreamConfig(name=config.stream, subjects=subjects, max_msgs=7)
    )
    sink = AuditStream(client, config, SystemClock())
    await sink.start()
    sink.record(ANSWERED)
    await sink.aclose()

    info = await client.jetstream().stream_info(config.stream)
    assert (info.config.subjects, info.config.max_msgs) == (subjects, 7)
    assert info.state.messages == 1


async def test_a_stream_of_that_name_without_the_subject_is_refused_at_the_start(
    client: Client, config: AuditStreamConfig
) -> None:
    await client.jetstream().add_stream(
        StreamConfig(name=config.stream, subjects=[f"{config.stream}.other"])
    )

    with pytest.raises(AuditSinkError, match="does not take the subject"):
        await AuditStream(client, config, SystemClock()).start()


async def test_a_subject_that_another_stream_has_is_refused_at_the_start(
    client: Client, config: AuditStreamConfig
) -> None:
    await client.jetstream().add_stream(
        StreamConfig(name=f"{config.stream}-other", subjects=[config.subject])
    )

    with pytest.raises(AuditSinkError, match="no other stream has its subject"):
        await AuditStream(client, config, SystemClock()).start()


async def test_an_account_without_jetstream_is_refused_at_the_start(
    start_nats_server: StartNatsServer, config: AuditStreamConfig
) -> None:
    server = await start_nats_server(
        "accounts { A: { users: [{ user: a, password: a }] } }", jetstream=True
    )
    client = await connect(server, user="a", password="a")

    with pytest.raises(AuditSinkError, match="JetStream is not enabled"):
        await AuditStream(client, config, SystemClock()).start()
    await client.close()


async def test_of_replicas_that_start_at_once_each_finds_the_stream(
    client: Client, config: AuditStreamConfig
) -> None:
    sinks = [AuditStream(client, config, SystemClock()) for _ in range(5)]
    await asyncio.gather(*(sink.start() for sink in sinks))
    for sink, event in zip(sinks, numbered(5), strict=True):
        sink.record(event)
    await asyncio.gather(*(sink.aclose() for sink in sinks))

    assert sorted(await request_ids(client.jetstream(), config.stream)) == ids(numbered(5))
