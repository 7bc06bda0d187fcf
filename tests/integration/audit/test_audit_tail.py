"""Reading the audit stream back: from an age on, to its end or for as long as it goes on."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import nats
import pytest
from typer.testing import CliRunner

from adapters.audit.file_reader import AuditReadError
from adapters.audit.stream import AuditStream
from adapters.audit.stream_config import AuditStreamConfig
from adapters.audit.stream_reader import read_stream, read_streams
from adapters.system.clock import SystemClock
from bootstrap.cli import audit, audit_events
from tests.contracts.audit import ANSWERED, ids, numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer

CLOCK = SystemClock()


async def connect(url: str) -> Client:
    async def ignore(_: Exception) -> None:
        """nats-py would print each failed attempt."""

    return await nats.connect(
        url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=ignore
    )


@pytest.fixture
def config(subject_prefix: str) -> AuditStreamConfig:
    return AuditStreamConfig(subject_prefix, f"{subject_prefix}.audit.v1")


async def record(client: Client, config: AuditStreamConfig, first: int, count: int) -> None:
    sink = AuditStream(client, config, CLOCK)
    await sink.start()
    for event in numbered(count, first, replace(ANSWERED, time=CLOCK.now())):
        sink.record(event)
    await sink.aclose()


async def read(client: Client, stream: str, since: float) -> list[str]:
    return [
        json.loads(line)["request_id"]
        async for line in read_stream(client, stream, CLOCK, since=since, follow=False)
    ]


async def test_it_begins_at_the_time_asked_for_and_ends_at_the_end(
    nats_url: str, config: AuditStreamConfig
) -> None:
    client = await connect(nats_url)
    before = CLOCK.now()
    await record(client, config, 0, 20)
    await asyncio.sleep(0.01)
    between = CLOCK.now()
    await record(client, config, 20, 15)
    after = CLOCK.now() + 1

    assert await read(client, config.stream, before) == ids(numbered(35))
    assert await read(client, config.stream, between) == ids(numbered(15, 20))
    assert await read(client, config.stream, after) == []
    await client.close()


async def test_events_that_were_removed_are_passed_over(
    nats_url: str, config: AuditStreamConfig
) -> None:
    client = await connect(nats_url)
    await record(client, config, 0, 20)
    await client.jetstream().purge_stream(config.stream, seq=11)

    assert await read(client, config.stream, 0) == ids(numbered(10, 10))

    await client.jetstream().purge_stream(config.stream)
    assert await read(client, config.stream, 0) == []
    await client.close()


async def test_following_goes_on_after_nats_was_away(
    fresh_nats_server: LocalNatsServer, config: AuditStreamConfig
) -> None:
    client = await connect(fresh_nats_server.url)
    await record(client, config, 0, 2)
    found: list[str] = []
    events = read_stream(client, config.stream, CLOCK, since=0, follow=True)
    async with asyncio.timeout(30), aclosing(cast("Any", events)) as lines:
        async for line in lines:
            found.append(json.loads(line)["request_id"])
            if len(found) == 2:
                await fresh_nats_server.restart()
                await record(client, config, 2, 2)
            if len(found) == 4:
                break

    assert found == ids(numbered(4))
    await client.close()


async def test_following_waits_while_nats_is_away(
    fresh_nats_server: LocalNatsServer, config: AuditStreamConfig
) -> None:
    client = await connect(fresh_nats_server.url)
    await record(client, config, 0, 1)
    found: asyncio.Queue[str] = asyncio.Queue()

    async def follow() -> None:
        async for line in read_stream(client, config.stream, CLOCK, since=0, follow=True):
            found.put_nowait(json.loads(line)["request_id"])

    reading = asyncio.create_task(follow())
    assert await found.get() == "request-000000"
    await fresh_nats_server.kill()
    await asyncio.sleep(2.5)
    assert not reading.done()
    await fresh_nats_server.start()
    await record(client, config, 1, 1)

    async with asyncio.timeout(20):
        assert await found.get() == "request-000001"
    reading.cancel()
    await asyncio.wait((reading,))
    await client.close()


async def test_a_stream_that_is_not_there_says_so(nats_url: str) -> None:
    client = await connect(nats_url)

    with pytest.raises(AuditReadError, match="There is no stream NONE"):
        await read(client, "NONE", 0)
    await client.close()


async def test_an_account_without_jetstream_says_so(nats_url: str) -> None:
    client = await connect(nats_url)
    await client.close()

    with pytest.raises(AuditReadError, match="JetStream does not answer"):
        await read(client, "NONE", 0)


def test_the_command_shows_the_stream(
    nats_url: str, config: AuditStreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[Client]:
        client = await connect(nats_url)
        try:
            yield client
        finally:
            await client.close()

    async def fill() -> None:
        async with open_nats() as client:
            await record(client, config, 0, 3)

    asyncio.run(fill())
    monkeypatch.setattr(audit_events, "open_nats", open_nats)

    result = CliRunner().invoke(audit.app, ["tail", "--no-follow", "--stream", config.stream])

    assert result.exit_code == 0, result.output
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ids(numbered(3))
    assert f"no stream {config.stream}_REFUSED" in result.stderr

    missing = CliRunner().invoke(audit.app, ["tail", "--stream", "NONE"])
    assert missing.exit_code == 2
    assert "There is no stream NONE" in missing.stderr


@pytest.mark.parametrize("follow", [False, True])
async def test_both_streams_are_read_as_one_in_the_order_of_their_events(
    nats_url: str, config: AuditStreamConfig, follow: bool
) -> None:
    client = await connect(nats_url)
    beside = config._replace(stream=f"{config.stream}_REFUSED", subject=f"{config.subject}.refused")
    for first in (0, 10, 20, 30):
        await record(client, config if first % 20 else beside, first, 3)
    streams = (config.stream, beside.stream)

    found: list[str] = []
    events = read_streams(client, streams, CLOCK, since=0, follow=follow)
    async with aclosing(cast("Any", events)) as lines:
        async for line in lines:
            found.append(json.loads(line)["request_id"])
            if len(found) == 12 and follow:
                await record(client, beside, 40, 1)
            if len(found) == 13:
                break

    expected = [f"request-{first + n:06d}" for first in (0, 10, 20, 30) for n in range(3)]
    assert found == expected + (["request-000040"] if follow else [])
    await client.close()
