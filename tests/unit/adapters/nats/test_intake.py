"""Requests are answered where they are read, or queued, refused or dropped."""

from __future__ import annotations

import asyncio

from adapters.nats.backlog import OVERHEAD_BYTES
from adapters.nats.intake import READ_SECONDS, STORE_TURN_SECONDS, TURN_SECONDS
from tests.unit.adapters.nats.intake_stage import MAX_BODY, PATIENCE, Stage


async def test_a_usual_load_is_answered_where_it_is_read() -> None:
    stage = Stage(seconds=READ_SECONDS / 10)
    for _ in range(5):
        stage.connection.reads += 1
        stage.send("host", 10)

    assert len(stage.answers("host")) == 50
    assert stage.intake.workers == ()


async def test_reading_goes_on_though_the_answers_to_one_read_take_too_long() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 100)

    assert len(stage.answers("host")) == 1
    await stage.work_off()
    assert stage.answers("host").count(b"echo xxxxxxxxxx") == 100


async def test_answers_from_the_backlog_leave_the_loop_to_the_reader_in_between() -> None:
    stage = Stage(seconds=TURN_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 10)
    stage.connection.reads += 1
    before = len(stage.answers("host"))

    await asyncio.sleep(0)
    after = len(stage.answers("host"))

    assert after - before == 1
    await stage.work_off()


async def test_a_round_answers_few_requests_while_another_waits_for_the_store() -> None:
    stage = Stage(seconds=STORE_TURN_SECONDS)
    stage.send("slow", operation="slow")
    stage.connection.reads += 1
    stage.send("host", 100)
    before = len(stage.answers("host"))

    for _ in range(3):
        await asyncio.sleep(0)

    assert len(stage.answers("host")) - before == 3
    for task in stage.answering.running:
        task.cancel()
    await stage.work_off()


async def test_a_host_behind_a_flood_is_answered_next() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("flood", 500)
    stage.send("honest")

    for _ in range(8):
        await asyncio.sleep(0)

    assert stage.answers("honest") == [b"echo xxxxxxxxxx"]
    assert len(stage.answers("flood")) < 10
    await stage.work_off()


async def test_a_flood_beyond_its_share_is_refused_and_leaves_room_for_others() -> None:
    stage = Stage(seconds=READ_SECONDS, room=40 * (OVERHEAD_BYTES + 10))
    stage.connection.reads += 1
    stage.send("flood", 1 + 20 + 50)
    stage.send("honest", 5)

    assert stage.refused("flood") == 50
    assert stage.refused("honest") == 0
    await stage.work_off()
    assert stage.answers("honest") == [b"echo xxxxxxxxxx"] * 5


async def test_what_comes_too_fast_to_be_refused_is_dropped_and_counted() -> None:
    stage = Stage(seconds=READ_SECONDS, room=OVERHEAD_BYTES * 4)
    stage.connection.reads += 1
    stage.send("flood", 1002)

    assert stage.refused("flood") == 50
    assert stage.intake.dropped == 1002 - 50 - 3
    await stage.work_off()


async def test_a_request_that_was_queued_for_too_long_is_refused_unopened() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 2)
    stage.clock.advance(PATIENCE + 0.1)
    await stage.work_off()

    assert stage.answers("host") == [b"echo xxxxxxxxxx", b"refused as overloaded"]
    assert stage.handler.arrived.qsize() == 1


async def test_a_body_too_long_to_be_opened_is_never_queued() -> None:
    stage = Stage(seconds=READ_SECONDS, room=OVERHEAD_BYTES * 4)
    stage.connection.reads += 1
    stage.send("flood", 20, size=MAX_BODY + 1)

    assert len(stage.answers("flood")) == 20
    assert stage.intake.workers == ()


async def test_what_is_queued_at_the_end_is_refused_as_stopping() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 3)

    await stage.intake.refuse_all("stopping")

    assert stage.answers("host")[1:] == [b"refused as stopping"] * 2
    await stage.work_off()


async def test_a_waiting_request_keeps_no_body() -> None:
    stage = Stage()
    stage.send("host", operation="slow", size=900)
    (task,) = stage.answering.running
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    (refused, reason) = stage.handler.refused[-1]
    assert (refused.body, reason) == (b"", "stopping")
