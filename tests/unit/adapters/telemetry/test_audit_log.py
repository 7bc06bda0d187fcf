"""One request, one log record, whatever the log's level."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.audit_record import audit_fields
from adapters.telemetry.log_setup import LogLevel, configure_logging
from domain.model.audit import Outcome
from tests.contracts.audit import ANSWERED, REFUSED

if TYPE_CHECKING:
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
