"""A changed secret rolls the workloads that hold it, one at a time, and no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import structlog

from adapters.system.cancelling import cancel
from adapters.wasmcloud2.rolls import FINISH_SECONDS, PAUSE_SECONDS, TRIES
from domain.model.errors import StoreUnavailable
from domain.model.selection import Selection
from tests.support.settling import settle
from tests.unit.adapters.wasmcloud2.relay_rig import Rig, start_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DB = Selection.one("/db")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    rig.reads.store.put("/db", "old-value")
    rig.reads.store.put("/token", "t0k3n")
    await rig.start()
    for workload_id, reference in (("one", "db"), ("two", "token"), ("three", "db")):
        request = start_request({"x": f"secret://{reference}"}, workload_id=workload_id)
        rig.ask("workload.start", request)
        await settle()
    rig.log.clear()
    rig.started.clear()
    rig.rolling = asyncio.create_task(rig.rolls.run())
    yield rig
    await cancel({rig.rolling})


def config(started: dict) -> str:  # type: ignore[type-arg]  # parsed JSON
    value: str = started["workload"]["witWorld"]["hostInterfaces"][0]["config"]["x"]
    return value


async def test_those_that_hold_it_are_rolled_one_after_the_other(rig: Rig) -> None:
    rig.reads.store.put("/db", "new-value")
    rig.rolls.changed(DB)
    await settle()

    assert rig.log == [
        *("workload.status one", "workload.stop one", "workload.start one"),
        *("workload.status three", "workload.stop three", "workload.start three"),
    ]
    assert [config(started) for started in rig.started] == ["new-value", "new-value"]
    assert rig.relay.figures.rolled == 2
    assert len(rig.relay.held) == 3


@pytest.mark.parametrize("at", ["workload.stop one", "workload.start one"])
async def test_a_relay_that_is_stopped_in_the_middle_starts_what_it_has_stopped(
    rig: Rig, at: str
) -> None:
    def host(subject: str, body: bytes) -> bytes:
        answer = rig.host(subject, body)
        if rig.log[-1] == at:
            rig.rolling.cancel()
        return answer

    rig.hosts.answer = host
    rig.reads.store.put("/db", "new-value")
    rig.rolls.changed(DB)
    await settle()

    assert rig.rolling.done()
    assert rig.log == ["workload.status one", "workload.stop one", "workload.start one"]
    assert rig.states["one"] == "RUNNING"


async def test_a_host_that_does_not_answer_the_stop_delays_the_relays_end_for_seconds_alone(
    rig: Rig,
) -> None:
    rig.hosts.answer = lambda subject, body: (
        None if subject.endswith("stop") else rig.host(subject, body)
    )
    rig.reads.store.put("/db", "new-value")
    rig.rolls.changed(DB)
    await settle()

    rig.rolling.cancel()
    await settle()
    assert not rig.rolling.done()
    rig.reads.clock.advance(FINISH_SECONDS)
    await settle()
    assert rig.rolling.done()


async def test_an_unchanged_value_stops_nothing(rig: Rig) -> None:
    rig.rolls.changed(Selection.everything())
    await settle()

    assert [line for line in rig.log if "stop" in line] == []


async def test_a_second_change_is_rolled_as_well(rig: Rig) -> None:
    for value in ("second", "third"):
        rig.reads.store.put("/db", value)
        rig.rolls.changed(DB)
        await settle()

    assert [config(started) for started in rig.started] == ["second", "second", "third", "third"]


async def test_a_workload_that_does_not_run_is_not_started(rig: Rig) -> None:
    rig.states.pop("one")
    rig.reads.store.put("/db", "new-value")
    rig.rolls.changed(DB)
    await settle()

    assert "workload.start one" not in rig.log
    assert "workload.start three" in rig.log


async def test_a_refused_secret_stops_nothing(rig: Rig) -> None:
    rig.reads.store.failure = StoreUnavailable("down")
    with structlog.testing.capture_logs() as logs:
        rig.rolls.changed(DB)
        await settle()

    assert [line for line in rig.log if "stop" in line] == []
    assert [entry["event"] for entry in logs if "roll" in entry["event"]] == [
        "relay.roll_refused"
    ] * 2


async def test_a_start_that_fails_is_tried_again_and_then_reported(rig: Rig) -> None:
    rig.reads.store.put("/db", "new-value")
    rig.states.pop("three")
    answer = rig.hosts.answer
    assert answer is not None

    def failing(subject: str, body: bytes) -> bytes | None:
        if subject.endswith("workload.start"):
            rig.states["one"] = "ERROR"
            rig.messages["ERROR"] = "no room for db=new-value, was old-value"
        return answer(subject, body)

    rig.hosts.answer = failing
    with structlog.testing.capture_logs() as logs:
        rig.rolls.changed(DB)
        for _ in range(TRIES):
            await settle()
            rig.reads.clock.advance(PAUSE_SECONDS)
        await settle()

    assert rig.log.count("workload.start one") == TRIES
    (failed,) = [entry for entry in logs if entry["event"] == "relay.roll_failed"]
    assert failed["message"] == "no room for db=[redacted], was [redacted]"
    assert rig.relay.figures.rolls_failed == 1
    assert len(rig.relay.held) == 1


async def test_a_host_that_does_not_answer_keeps_no_other_from_being_rolled(rig: Rig) -> None:
    rig.reads.store.put("/db", "new-value")
    answer = rig.hosts.answer
    assert answer is not None
    rig.hosts.answer = lambda subject, body: None if b'"one"' in body else answer(subject, body)
    rig.rolls.changed(DB)
    await settle()
    rig.reads.clock.advance(10)
    await settle()

    assert rig.log == ["workload.status three", "workload.stop three", "workload.start three"]
