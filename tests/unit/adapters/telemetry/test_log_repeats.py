"""A peer that has one event logged again and again does not fill the log."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING

import pytest
import structlog

from adapters.telemetry.log_setup import configure_logging
from adapters.telemetry.rendering import LINES_A_SECOND, RepeatLimit
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict


class Log:
    """What passes, and a time that stands still."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: list[EventDict] = []
        self._limit = RepeatLimit(self.clock)

    def write(self, event: str, times: int = 1) -> None:
        for _ in range(times):
            with contextlib.suppress(structlog.DropEvent):
                self.lines.append(self._limit(None, "warning", {"event": event}))


def test_a_flood_of_one_event_leaves_fifty_lines_a_second_and_a_count() -> None:
    log = Log()

    log.write("change_notice.webhook_refused", 7000)
    log.clock.advance(1)
    log.write("change_notice.webhook_refused", 2)

    assert len(log.lines) == LINES_A_SECOND + 2
    assert [line.get("left_out") for line in log.lines[-3:]] == [None, 7000 - LINES_A_SECOND, None]


def test_other_events_are_written_meanwhile() -> None:
    log = Log()

    log.write("change_notice.webhook_refused", 7000)
    log.write("service.stopping")

    assert log.lines[-1] == {"event": "service.stopping"}


def test_what_is_kept_of_a_library_that_logs_ever_other_texts_is_bounded() -> None:
    log = Log()

    for number in range(5000):
        log.write(f"text {number}")

    assert len(log.lines) == 5000
    assert len(log._limit._counts) <= 1024


def test_the_log_of_the_service_has_that_limit(log_settings: None) -> None:
    del log_settings
    stream = io.StringIO()
    configure_logging("info", "json", stream)

    for number in range(3 * LINES_A_SECOND):
        structlog.get_logger().warning("peer_bus.message_refused", number=number)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    # The clock's second may have turned meanwhile.
    assert LINES_A_SECOND <= len(lines) <= 2 * LINES_A_SECOND + 1


@pytest.fixture
def log_settings() -> Iterator[None]:
    """Put logging back afterwards."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
