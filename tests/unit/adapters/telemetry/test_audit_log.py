"""One request, one record, with the documented fields."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.log_setup import configure_logging
from domain.model.audit import AuditEvent, Outcome
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import SecretLocation
from domain.model.transport import Requester

if TYPE_CHECKING:
    from tests.unit.adapters.telemetry.conftest import LogText

CALLER = Caller(
    entity=Claims(
        IdentityKind.PROVIDER, SubjectKey("V1"), AccountKey("A1"), "id-1", 0, name="mailer"
    ),
    host=Claims(IdentityKind.HOST, SubjectKey("N1"), AccountKey("A2"), "id-2", 0, name="edge-7"),
    application="shop",
)
ANSWERED = AuditEvent(
    time=1_800_000_000.25,
    duration=0.0015,
    request_id="abcdefgh-000001",
    operation="get",
    outcome=Outcome.ANSWERED,
    reason="trusted_issuer",
    caller=CALLER,
    requester=Requester("AACC", "edge"),
    key="payments/API_KEY",
    field="user",
    version_asked="3",
    version_served="3",
    location=SecretLocation("/payments/API_KEY", (("environment", "prod"),)),
    grant="payments",
    upstream_request_id="req-9",
)
REFUSED = AuditEvent(
    time=1_800_000_000.0,
    duration=0.001,
    request_id="abcdefgh-000002",
    operation="get",
    outcome=Outcome.REFUSED,
    reason="decryption_failed",
    error="DecryptionError",
)


def test_an_answered_request_is_one_flat_record(log_text: LogText) -> None:
    AuditLog().record(ANSWERED)

    assert log_text.records() == [
        {
            "timestamp": "2027-01-15T08:00:00.250000Z",
            "level": "info",
            "event": "secret_request",
            "schema": 1,
            "request_id": "abcdefgh-000001",
            "operation": "get",
            "outcome": "answered",
            "reason": "trusted_issuer",
            "duration_ms": 1.5,
            "key": "payments/API_KEY",
            "field": "user",
            "version_asked": "3",
            "version_served": "3",
            "grant": "payments",
            "upstream_request_id": "req-9",
            "path": "/payments/API_KEY",
            "scope_environment": "prod",
            "entity": "V1",
            "entity_kind": "provider",
            "entity_name": "mailer",
            "issuer": "A1",
            "host": "N1",
            "host_name": "edge-7",
            "requester_account": "AACC",
            "requester_user": "edge",
            "application": "shop",
        }
    ]


def test_what_is_unknown_is_absent(log_text: LogText) -> None:
    AuditLog().record(REFUSED)

    (record,) = log_text.records()
    assert (record["level"], record["error"]) == ("warning", "DecryptionError")
    assert not {"key", "entity", "issuer", "path", "version_served"} & record.keys()


def test_a_level_above_info_keeps_only_what_was_not_answered(restored_logging: None) -> None:
    stream = io.StringIO()
    configure_logging("warning", "json", stream)
    audit = AuditLog()

    audit.record(ANSWERED)
    audit.record(REFUSED)

    assert stream.getvalue().count("secret_request") == 1
    assert "abcdefgh-000002" in stream.getvalue()


def test_a_requester_cannot_flood_the_log(log_text: LogText) -> None:
    AuditLog().record(replace(REFUSED, key="k" * 100_000, operation="o" * 100_000))

    assert len(log_text.getvalue()) < 1000


def test_recording_never_raises(log_text: LogText) -> None:
    AuditLog().record(replace(REFUSED, time=float("inf")))

    assert log_text.getvalue() == ""
