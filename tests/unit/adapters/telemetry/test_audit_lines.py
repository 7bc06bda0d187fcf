"""A line whose parts are remembered says exactly what the record says."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telemetry import audit_lines
from adapters.telemetry.audit_lines import AuditLines
from adapters.telemetry.audit_record import audit_fields
from domain.model.audit import AuditEvent, Outcome, ServerKey
from domain.model.identity import Caller
from domain.model.reference import SecretLocation
from domain.model.transport import Requester
from tests.contracts.audit import ANSWERED, CALLER, REFUSED

FROM_CACHE = replace(ANSWERED, served_from="cache")

TOLD = [field.name for field in fields(AuditEvent) if field.name != "received_at"]
"""Every field of an event but the one that only its duration is counted from."""

OTHERS: dict[str, Any] = {
    "time": 1_800_000_001.5,
    "duration": 2.0,
    "request_id": "abcdefgh-000009",
    "operation": "put",
    "outcome": Outcome.CANCELLED,
    "reason": "trusted_issuer",
    "error": "Other",
    "caller": replace(CALLER, application="other"),
    "requester": Requester("AACC", "other"),
    "key": "other",
    "field": "other",
    "version_asked": "9",
    "version_served": "9",
    "location": SecretLocation("/other"),
    "grant": "other",
    "upstream_request_id": "req-other",
    "backend": "other",
    "properties": {"environment": "dev"},
    "allowed": False,
    "served_from": "stale",
    "advice": "Wait.",
    "server_key": ServerKey.RETIRED,
    "count": 7,
    "note": "other_note",
}


def written(lines: AuditLines, event: AuditEvent) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(lines.line(event))
    return fields


@pytest.mark.parametrize("event", [FROM_CACHE, ANSWERED, REFUSED])
def test_a_line_says_what_the_record_says_the_second_time_too(event: AuditEvent) -> None:
    lines = AuditLines()

    first, second = written(lines, event), written(lines, event)

    assert first == second == {"event": "secret_request", **audit_fields(event)}


@pytest.mark.parametrize("name", TOLD)
def test_one_thing_that_differs_is_told_as_it_is(name: str) -> None:
    lines = AuditLines()
    lines.line(FROM_CACHE)
    other = replace(FROM_CACHE, **{name: OTHERS[name]})

    shown = written(lines, other)

    assert shown == {"event": "secret_request", **audit_fields(other)}
    assert shown != {"event": "secret_request", **audit_fields(FROM_CACHE)}


@given(st.lists(st.sets(st.sampled_from(sorted(OTHERS))), max_size=8))
def test_whatever_came_before_makes_no_difference(changes: list[set[str]]) -> None:
    lines = AuditLines()
    for change in changes:
        event = replace(FROM_CACHE, **{name: OTHERS[name] for name in change})

        assert written(lines, event) == {"event": "secret_request", **audit_fields(event)}


KINDS_OF_PARTS = 5


def replace_everything(name: str) -> AuditEvent:
    caller = Caller(replace(CALLER.entity), replace(CALLER.host), name)
    return replace(
        FROM_CACHE,
        caller=caller,
        key=name,
        version_served=name,
        upstream_request_id=f"request {name}",
    )


def test_callers_are_told_apart_when_one_takes_the_place_of_another_in_memory() -> None:
    lines = AuditLines()

    for number in range(100):
        caller = Caller(CALLER.entity, CALLER.host, f"application-{number}")
        assert (
            written(lines, replace(FROM_CACHE, caller=caller))["application"] == caller.application
        )


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_lines, "CAPACITY", 3)
    lines = AuditLines()

    for number in range(10):
        event = replace_everything(str(number))
        assert written(lines, event) == {"event": "secret_request", **audit_fields(event)}
        assert len(lines) <= 3 * KINDS_OF_PARTS


def test_nothing_of_a_refused_request_is_remembered() -> None:
    lines = AuditLines()

    lines.line(replace(FROM_CACHE, outcome=Outcome.REFUSED))
    lines.line(REFUSED)

    assert len(lines) == 0
