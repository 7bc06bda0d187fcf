"""The audit stream on a real nats-server: filled once, through outages and limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from nats.js.api import StreamConfig
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.audit.sink import BufferLimits, OnFull
from adapters.audit.stream import AuditStream
from adapters.audit.stream_config import AuditStreamConfig
from adapters.system.clock import SystemClock
from tests.contracts.audit import ANSWERED, REFUSED, AuditOutputContract, ids, numbered
from tests.integration.audit.audit_stream_rig import connect, messages, request_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  the sink has no event
            await asyncio.sleep(0.01)


class TestAuditStream(AuditOutputContract):
    @pytest.fixture(autouse=True)
    def _make(self, client: Client, config: AuditStreamConfig) -> None:
        self._jetstream, self._config = client.jetstream(), config
        self.trail = AuditStream(client, config, SystemClock())

    @override
    async def raw(self) -> bytes:
        return b"".join(
            line + b"\n" for line in await messages(self._jetstream, self._config.stream)
        )


async def test_an_event_carries_its_request_id_for_de_duplication(
    client: Client, config: AuditStreamConfig
) -> None:
    sink = AuditStream(client, config, SystemClock())
    await sink.start()
    sink.record(ANSWERED)
    sink.record(ANSWERED)
    await sink.aclose()

    assert await request_ids(client.jetstream(), config.stream) == [ANSWERED.request_id]
    message = await client.jetstream().get_msg(config.stream, seq=1)
    assert (message.headers or {})["Nats-Msg-Id"] == ANSWERED.request_id


async def test_a_user_who_may_only_publish_still_records(
    start_nats_server: StartNatsServer, config: AuditStreamConfig
) -> None:
    server = await start_nats_server(
        f"""authorization {{ users: [
          {{ user: admin, password: a }},
          {{ user: service, password: s, permissions: {{
              publish: "{config.subject}", subscribe: "_INBOX.>" }} }} ] }}""",
        jetstream=True,
    )
    admin = await connect(server, user="admin", password="a")
    await admin.jetstream().add_stream(StreamConfig(name=config.stream, subjects=[config.subject]))
    service = await connect(server, user="service", password="s")
    sink = AuditStream(service, config, SystemClock())
    with capture_logs() as logs:
        await sink.start()
    sink.record(ANSWERED)
    await sink.aclose()

    assert [log["event"] for log in logs] == ["audit.stream_unchecked"]
    assert await request_ids(admin.jetstream(), config.stream) == [ANSWERED.request_id]
    await service.close()
    await admin.close()


@pytest.mark.parametrize("crash", [True, False])
async def test_a_server_that_goes_and_comes_back_under_events_costs_none(
    fresh_nats_server: LocalNatsServer, config: AuditStreamConfig, crash: bool
) -> None:
    client = await connect(fresh_nats_server)
    sink = AuditStream(client, config, SystemClock())
    await sink.start()
    events = numbered(3000)
    with capture_logs() as logs:
        for number, event in enumerate(events):
            sink.record(event)
            if number == 1000:
                await (fresh_nats_server.kill() if crash else fresh_nats_server.stop())
            if number == 2000:
                await until(lambda: sink.failing)
                assert sink.accepts()
                await fresh_nats_server.start()
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        await until(lambda: not sink.waiting)
    await sink.aclose()

    stored = await request_ids(client.jetstream(), config.stream)
    assert stored == ids(events)
    assert sink.dropped == 0
    said = [log["event"] for log in logs if log["event"].startswith("audit.")]
    assert said[0] == "audit.stream_failed"
    assert said[-1] == "audit.stream_recovered"
    await client.close()


@pytest.mark.parametrize("on_full", OnFull)
async def test_what_a_full_buffer_means_while_nats_is_away_is_a_setting(
    fresh_nats_server: LocalNatsServer, config: AuditStreamConfig, on_full: OnFull
) -> None:
    client = await connect(fresh_nats_server)
    limits = BufferLimits(max_bytes=10_000, on_full=on_full)
    full = AuditStreamConfig(config.stream, config.subject, limits=limits)
    sink = AuditStream(client, full, SystemClock())
    await sink.start()
    await fresh_nats_server.kill()
    recorded = 0
    for event in numbered(100):
        if sink.accepts():
            sink.record(event)
            recorded += 1

    assert sink.accepts() is (on_full is OnFull.DROP)
    kept = sink.waiting
    assert 5 < kept < 50
    assert (recorded, sink.dropped) == (
        (kept, 0) if on_full is OnFull.REFUSE else (100, 100 - kept)
    )

    await fresh_nats_server.start()
    await until(sink.accepts)
    await sink.aclose()
    assert await request_ids(client.jetstream(), config.stream) == ids(numbered(kept))
    await client.close()


async def test_a_stream_that_is_deleted_while_in_use_is_made_anew(
    client: Client, config: AuditStreamConfig
) -> None:
    sink = AuditStream(client, config, SystemClock())
    first, second = numbered(2)
    await sink.start()
    sink.record(first)
    await until(lambda: not sink.waiting)
    await client.jetstream().delete_stream(config.stream)
    sink.record(second)
    await sink.aclose()

    assert await request_ids(client.jetstream(), config.stream) == ids([second])


async def test_a_stream_that_stops_taking_the_subject_is_told_once_and_costs_no_event(
    client: Client, config: AuditStreamConfig
) -> None:
    jetstream = client.jetstream()
    sink = AuditStream(client, config, SystemClock())
    first, second = numbered(2)
    await sink.start()
    sink.record(first)
    await until(lambda: not sink.waiting)
    other = (await jetstream.stream_info(config.stream)).config
    other.subjects = [f"{config.stream}.other"]
    await jetstream.update_stream(other)
    with capture_logs() as logs:
        sink.record(second)
        await until(lambda: sink.failing)
        await asyncio.sleep(0.5)
    assert [log["event"] for log in logs] == ["audit.stream_unusable", "audit.stream_failed"]

    other.subjects = [config.subject]
    await jetstream.update_stream(other)
    await until(lambda: not sink.waiting)
    await sink.aclose()

    assert await request_ids(jetstream, config.stream) == ids([first, second])


async def test_an_event_larger_than_a_message_may_be_is_dropped_and_counted(
    start_nats_server: StartNatsServer, config: AuditStreamConfig
) -> None:
    server = await start_nats_server("max_payload: 1024", jetstream=True)
    client = await connect(server)
    sink = AuditStream(client, config, SystemClock())
    await client.jetstream().add_stream(StreamConfig(name=config.stream, subjects=[config.subject]))
    await sink.start()
    sink.record(ANSWERED)
    sink.record(REFUSED)
    await sink.aclose()

    assert sink.dropped == 1
    assert await request_ids(client.jetstream(), config.stream) == [REFUSED.request_id]
    await client.close()


async def test_closing_while_nats_stays_away_gives_up_in_time(
    fresh_nats_server: LocalNatsServer, config: AuditStreamConfig
) -> None:
    client = await connect(fresh_nats_server)
    brief = AuditStreamConfig(config.stream, config.subject, limits=BufferLimits(grace_seconds=0.3))
    sink = AuditStream(client, brief, SystemClock())
    await sink.start()
    await fresh_nats_server.kill()
    sink.record(ANSWERED)
    with capture_logs() as logs:
        await sink.aclose()

    assert logs[-1]["event"] == "audit.stream_lost"
    assert sink.dropped == 1
    await client.close()
