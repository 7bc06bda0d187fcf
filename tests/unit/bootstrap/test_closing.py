"""A replica closes within its bound, whatever hangs."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from adapters.telemetry.log_setup import configure_logging
from bootstrap.closing import (
    ANSWERS_SECONDS,
    CLOSING_SECONDS,
    RECORDS_SECONDS,
    TRANSPORT_SECONDS,
    Closing,
)
from bootstrap.settings import Settings
from bootstrap.workers.supervise import stop_seconds
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.unit.docs.documents import ROOT

GRACE_SECONDS = 10.0


class Scene:
    """A close, and parts that take as long as a test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.closed: list[str] = []
        self.log = io.StringIO()
        configure_logging("debug", "json", self.log)
        self.closing = Closing(self.clock, GRACE_SECONDS)

    async def finish(self, part: str, by: float, seconds: float) -> None:
        """Close a part that takes so long, while time passes."""

        async def close() -> None:
            await self.clock.sleep(seconds)
            self.closed.append(part)

        finishing = asyncio.create_task(self.closing.finish(part, by, close))
        while not finishing.done():
            await settle()
            if not finishing.done():
                self.clock.advance(0.5)
        finishing.result()

    def given_up(self) -> list[str]:
        records = map(json.loads, self.log.getvalue().splitlines())
        return [record["part"] for record in records]


async def test_parts_that_end_in_time_are_waited_for() -> None:
    scene = Scene()

    await scene.finish("requests", ANSWERS_SECONDS, GRACE_SECONDS)
    await scene.finish("records", RECORDS_SECONDS, 5)

    assert scene.closed == ["requests", "records"]
    assert not scene.given_up()


async def test_whatever_hangs_all_of_it_ends_in_the_documented_time() -> None:
    scene = Scene()
    began = scene.clock.monotonic()

    await scene.finish("requests", ANSWERS_SECONDS, 1000)
    await scene.finish("records", RECORDS_SECONDS, 1000)
    await scene.finish("transport", TRANSPORT_SECONDS, 1000)
    await scene.finish("store", CLOSING_SECONDS, 1000)

    assert scene.given_up() == ["requests", "records", "transport", "store"]
    assert scene.clock.monotonic() - began == GRACE_SECONDS + CLOSING_SECONDS


async def test_time_that_one_part_saves_the_next_one_has() -> None:
    scene = Scene()

    await scene.finish("requests", ANSWERS_SECONDS, 1)
    await scene.finish("records", RECORDS_SECONDS, GRACE_SECONDS + RECORDS_SECONDS - 2)

    assert scene.closed == ["requests", "records"]


def test_operators_are_told_the_bound_as_it_is() -> None:
    told = " ".join((ROOT / "docs" / "operations.md").read_text("utf-8").split())

    assert f"{CLOSING_SECONDS:g} seconds after `SHUTDOWN_GRACE_SECONDS`" in told
    killed = stop_seconds(Settings.model_construct(shutdown_grace_seconds=0.0))
    assert f"{killed:g} seconds after `SHUTDOWN_GRACE_SECONDS` are killed" in told


async def test_a_failure_while_closing_is_not_hidden() -> None:
    scene = Scene()

    async def fail() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await scene.closing.finish("store", CLOSING_SECONDS, fail)
