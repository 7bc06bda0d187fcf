"""One request, one log record, whatever the log's level."""

from __future__ import annotations

import asyncio
import io
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.audit_record import audit_fields
from adapters.telemetry.log_setup import LogLevel, configure_logging, log_output
from domain.model.audit import Outcome
from tests.contracts.audit import ANSWERED, REFUSED, AuditOutputContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.adapters.telemetry.conftest import LogText


def test_a_record_is_the_schemas_fields_with_level_and_event(log_text: LogText) -> None:
    AuditLog().record(ANSWERED)

    assert log_text.records() == [
        {"level": "info", "event": "secret_request", **audit_fields(ANSWERED)}
    ]


def test_a_line_begins_with_time_level_and_event(log_text: LogText) -> None:
    AuditLog().record(ANSWERED)

    assert list(log_text.records()[0])[:3] == ["timestamp", "level", "event"]


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome.ANSWERED, "info"),
        (Outcome.REFUSED, "warning"),
        (Outcome.CANCELLED, "warning"),
    ],
)
def test_what_was_not_answered_is_a_warning(
    log_text: LogText, outcome: Outcome, level: str
) -> None:
    AuditLog().record(replace(ANSWERED, outcome=outcome))

    assert log_text.records()[0]["level"] == level


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_request_is_recorded_whatever_the_logs_level(level: LogLevel) -> None:
    stream = io.StringIO()
    configure_logging(level, "json", stream)
    audit = AuditLog()

    audit.record(ANSWERED)
    audit.record(REFUSED)

    written = [json.loads(line)["request_id"] for line in stream.getvalue().splitlines()]
    assert written == [ANSWERED.request_id, REFUSED.request_id]


def test_fields_that_ordinary_logs_would_hide_by_name_are_shown(log_text: LogText) -> None:
    AuditLog().record(replace(ANSWERED, properties={"role": "shop"}, key="token"))

    (record,) = log_text.records()
    assert (record["token_id"], record["key"]) == ("id-1", "token")
    assert record["properties"] == {"role": "shop"}


def test_a_person_at_a_terminal_sees_columns() -> None:
    stream = io.StringIO()
    configure_logging("info", "console", stream)

    AuditLog().record(replace(ANSWERED, key="a\x1b[1mb"))

    assert "secret_request" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_what_cannot_be_written_does_not_raise(log_text: LogText) -> None:
    AuditLog().record(replace(REFUSED, time=float("inf")))

    assert log_text.getvalue() == ""


@pytest.fixture
def sleeping() -> Iterator[int]:
    """Log into a pipe without a reader; gives its other end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        configure_logging("info", "json", file)
        yield reading
    os.close(reading)


async def read_all(descriptor: int, audit: AuditLog) -> list[str]:
    """Read until nothing waits any more, and return the request ids that were written."""
    os.set_blocking(descriptor, False)
    read = b""
    waiting = True
    while waiting:
        # Asked before reading: what is written by now is read below.
        waiting = audit.waiting > 0
        try:
            while True:
                read += os.read(descriptor, 65536)
        except BlockingIOError:
            await asyncio.sleep(0)
    return [json.loads(line)["request_id"] for line in read.splitlines()]


async def test_while_nobody_reads_no_more_is_accepted_than_has_room(sleeping: int) -> None:
    audit = AuditLog(max_waiting=200_000)

    async with log_output().off_the_loop():
        recorded: list[str] = []
        while audit.accepts():
            recorded.append(f"request-{len(recorded)}")
            audit.record(replace(ANSWERED, request_id=recorded[-1]))
        assert audit.failing
        audit.record(replace(ANSWERED, request_id="left-meanwhile"))
        audit.record(REFUSED)
        assert await read_all(sleeping, audit) == [*recorded, "left-meanwhile"]
        assert audit.accepts()

    assert (audit.dropped, audit.failing) == (1, False)


async def test_a_trail_that_may_lose_records_goes_on_accepting_and_counts_them(
    sleeping: int,
) -> None:
    audit = AuditLog(max_waiting=1, refuses=False)

    async with log_output().off_the_loop():
        audit.record(replace(ANSWERED, request_id="kept"))
        audit.record(replace(ANSWERED, request_id="dropped"))
        assert (audit.accepts(), audit.dropped, audit.waiting) == (True, 1, 1)
        assert await read_all(sleeping, audit) == ["kept"]


class TestAuditLog(AuditOutputContract):
    @pytest.fixture(autouse=True)
    def _make(self, log_text: LogText) -> None:
        self._text = log_text
        self.trail = AuditLog()

    @override
    async def raw(self) -> bytes:
        return self._text.getvalue().encode()
