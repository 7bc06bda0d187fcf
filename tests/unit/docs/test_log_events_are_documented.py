"""The documents and the code know the same log events."""

from __future__ import annotations

from adapters.telemetry.audit_record import EVENT
from tests.unit.docs.documents import (
    OPERATIONS,
    documents,
    first_cells,
    inline_code,
    log_events,
    section,
)


def listed() -> list[str]:
    cells = first_cells(section(OPERATIONS, "Log events"))
    return [event.strip("` ") for cell in cells for event in cell.split(",")]


def test_every_event_in_the_table_is_logged_somewhere() -> None:
    assert set(listed()) <= log_events() | {EVENT}


def test_no_event_stands_in_the_table_twice() -> None:
    assert len(set(listed())) == len(listed())


def test_every_event_that_is_logged_is_in_some_document() -> None:
    named = {text for document in documents() for text in inline_code(document)}

    assert log_events() <= named | set(listed()), "give the event a row in docs/operations.md"


def test_the_events_of_the_code_are_found() -> None:
    assert {"service.ready", "nats.connected", "infisical.login_failed"} <= log_events()
