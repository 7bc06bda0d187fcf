"""The documented fields of one audit record."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from adapters.telemetry.audit_record import (
    MAX_GROUP_BYTES,
    MAX_TEXT_BYTES,
    SCHEMA,
    audit_fields,
    encoded_bytes,
)
from domain.model.audit import AuditEvent, Outcome
from domain.model.identity import Caller
from domain.model.reference import SecretLocation
from domain.model.transport import Requester
from tests.contracts.audit import ANSWERED, CALLER, REFUSED
from tests.support.audit_text import audit_line

DOCUMENT = Path(__file__).parents[4] / "docs" / "audit-log.md"


def test_an_answered_request_has_every_field() -> None:
    assert audit_fields(ANSWERED) == {
        "timestamp": "2027-01-15T08:00:00.250000Z",
        "schema": 1,
        "request_id": "abcdefgh-000001",
        "operation": "get",
        "backend": "infisical",
        "outcome": "answered",
        "reason": "granted",
        "duration_ms": 1.5,
        "server_key": "current",
        "key": "payments/API_KEY",
        "field": "user",
        "version_asked": "3",
        "properties": {"environment": "prod"},
        "path": "/payments/API_KEY",
        "scope_environment": "prod",
        "decision": "allow",
        "grant": "payments",
        "version_served": "3",
        "served_from": "store",
        "note": "numbers_may_be_inexact",
        "upstream_request_id": "req-9",
        "entity": "V1",
        "entity_kind": "provider",
        "entity_name": "mailer",
        "entity_revision": 7,
        "entity_hash": "0F",
        "entity_tags": ["wasmcloud.com/experimental", "internal"],
        "issuer": "A1",
        "token_id": "id-1",
        "host": "N1",
        "host_name": "edge-7",
        "application": "shop",
        "requester_account": "AACC",
        "requester_user": "edge",
    }


def test_what_is_unknown_is_absent() -> None:
    assert audit_fields(REFUSED) == {
        "timestamp": "2027-01-15T08:00:00.000000Z",
        "schema": 1,
        "request_id": "abcdefgh-000002",
        "operation": "get",
        "backend": "infisical",
        "outcome": "refused",
        "reason": "decryption_failed",
        "duration_ms": 1.0,
        "error": "DecryptionError",
    }


def test_claims_a_token_does_not_make_are_absent() -> None:
    bare = replace(
        CALLER.entity, name=None, revision=None, artifact_hash=None, tags=(), token_id="id"
    )
    caller = replace(CALLER, entity=bare, host=replace(CALLER.host, name=None), application=None)

    shown = audit_fields(replace(ANSWERED, caller=caller, requester=Requester("AACC")))

    assert (
        not {
            "entity_name",
            "entity_revision",
            "entity_hash",
            "entity_tags",
            "host_name",
            "application",
            "requester_user",
        }
        & shown.keys()
    )
    assert shown["token_id"] == "id"


def test_a_denial_is_a_decision_too() -> None:
    assert audit_fields(replace(REFUSED, allowed=False))["decision"] == "deny"


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (1_800_000_000.999999, "2027-01-15T08:00:00.999999Z"),
        (1_800_000_001.5, "2027-01-15T08:00:01.500000Z"),
    ],
)
def test_times_are_utc_with_microseconds(time: float, shown: str) -> None:
    assert audit_fields(replace(REFUSED, time=time))["timestamp"] == shown


def test_a_text_is_shown_whole_up_to_256_characters_and_cut_beyond() -> None:
    assert audit_fields(replace(REFUSED, key="k" * 256))["key"] == "k" * 256
    assert audit_fields(replace(REFUSED, key="k" * 257))["key"] == "k" * 256 + "…"


def test_of_many_properties_and_tags_as_many_are_shown_as_have_room() -> None:
    properties = {f"name-{number:04d}": "v" * 90 for number in range(100)}
    tags = tuple(f"tag-{number:04d}" for number in range(1000))
    entity = replace(CALLER.entity, tags=tags)

    shown = json.loads(
        audit_line(replace(ANSWERED, properties=properties, caller=replace(CALLER, entity=entity)))
    )

    # Six bytes of quotes, colon and comma around each.
    assert shown["properties"] == dict(list(properties.items())[: MAX_GROUP_BYTES // 105])
    assert tuple(shown["entity_tags"]) == tags[: MAX_GROUP_BYTES // 14]


@pytest.mark.parametrize("character", ["\x00", "é", "\u2028", "\ud800", "😀", '"', "\\", "k"])
def test_a_text_takes_no_more_bytes_of_json_than_its_share(character: str) -> None:
    shown = audit_fields(replace(REFUSED, key=character * 5000))["key"]
    assert isinstance(shown, str)

    assert shown.endswith("…")
    assert encoded_bytes(shown.removesuffix("…")) <= MAX_TEXT_BYTES
    assert encoded_bytes(shown + character) > min(MAX_TEXT_BYTES, 256)


@pytest.mark.parametrize("character", ["\x00", "é", "\ud800", "😀", "k"])
def test_no_request_makes_an_event_of_more_than_16_kib(character: str) -> None:
    """160 requests of 61 KB once pushed everything else out of a stream of 8 MiB."""
    long = character * 30_000
    entity = replace(
        CALLER.entity, token_id=long, name=long, artifact_hash=long, tags=(long,) * 500
    )
    host = replace(CALLER.host, name=long)
    event = replace(
        ANSWERED,
        operation=long,
        outcome=Outcome.REFUSED,
        error="Unauthorized",
        advice=long,
        requester=Requester(long, long),
        key=long,
        field=long,
        version_asked=long,
        version_served=long,
        properties={f"{number}{long}": long for number in range(100)},
        location=SecretLocation(long, (("environment", long), ("project", long))),
        grant=long,
        served_from=long,
        upstream_request_id=long,
        caller=Caller(entity, host, long),
    )

    assert len(audit_line(event)) <= 16 * 1024


@pytest.mark.parametrize("name", ["password", "db_password", "API_TOKEN", "seed", "secret"])
def test_a_property_named_like_a_secret_shows_no_value(name: str) -> None:
    assert audit_fields(replace(ANSWERED, properties={name: "canary", "path": "/a"}))[
        "properties"
    ] == {name: "[redacted]", "path": "/a"}


def test_a_line_is_the_record_with_time_and_event_first() -> None:
    line = json.loads(audit_line(ANSWERED))

    assert list(line)[:2] == ["timestamp", "event"]
    assert line == {"event": "secret_request", **audit_fields(ANSWERED)}


def test_every_field_is_documented_with_its_schemas_version() -> None:
    text = DOCUMENT.read_text("utf-8")
    documented = set(re.findall(r"`([a-z_]+…?)`", text))
    shown = set(audit_fields(replace(ANSWERED, error="Other", advice="Wait.", count=2))) - {
        "scope_environment"
    }

    assert shown <= documented
    assert {"scope_…", "level", "event"} <= documented
    assert f"| `schema` | {SCHEMA}." in text


def test_nothing_that_an_event_knows_is_left_out() -> None:
    """A field new to the event must find its way into the record, or be named here."""
    assert {field.name for field in fields(AuditEvent)} == {
        "received_at",
        "time",
        "duration",
        "request_id",
        "operation",
        "outcome",
        "reason",
        "error",
        "caller",
        "requester",
        "key",
        "field",
        "version_asked",
        "version_served",
        "location",
        "grant",
        "upstream_request_id",
        "backend",
        "properties",
        "allowed",
        "served_from",
        "advice",
        "server_key",
        "count",
        "note",
    }


def test_half_a_surrogate_pair_is_written_in_ascii_as_well() -> None:
    line = audit_line(replace(ANSWERED, key="caf\u00e9 \ud83d"))

    assert json.loads(line)["key"] == "caf\u00e9 \ud83d"
    assert line.isascii()
