"""Faults keep type and place, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.telemetry.fault_log import StructlogFaultLog

if TYPE_CHECKING:
    from tests.unit.adapters.telemetry.conftest import LogText


def test_a_fault_is_logged_by_type_frames_and_request_id(log_text: LogText) -> None:
    def fail() -> None:
        raise RuntimeError("canary-5e1f")

    try:
        fail()
    except RuntimeError as error:
        StructlogFaultLog().unexpected(error, "abcdefgh-000001")

    (record,) = log_text.records()
    assert (record["event"], record["level"]) == ("fault.unexpected", "error")
    assert (record["request_id"], record["exception"]) == ("abcdefgh-000001", "RuntimeError")
    assert "test_fault_log.py" in record["frames"][0]
    assert "canary" not in log_text.getvalue()


def test_a_fault_without_a_traceback_is_logged_too(log_text: LogText) -> None:
    StructlogFaultLog().unexpected(ValueError(), "abcdefgh-000002")

    assert log_text.records()[0]["frames"] == []
