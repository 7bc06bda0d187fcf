"""What one audit record holds: the schema of docs/audit-log.md, the same for every sink."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.telemetry.redaction import REDACTED, is_sensitive_name
from domain.model.identity import Caller, IdentityKind
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.model.audit import AuditEvent
    from domain.model.identity import Claims

EVENT = "secret_request"

SCHEMA = 1
"""Raised when a field changes its meaning; a new field alone does not raise it."""

MAX_TEXT = 256
"""Longer texts are cut: a request must not be able to flood what keeps the records."""

MAX_TEXT_BYTES = 512
"""As many bytes of JSON a text may take: there a character has up to twelve."""

MAX_GROUP_BYTES = 2048
"""The bytes that all tags, or all properties, may take together; the rest is left out."""

_ALWAYS_FITS = MAX_TEXT_BYTES // 12
_CUT = "…"
_SEPARATORS = 6  # quotes, a colon and a comma around one entry of a group


def audit_fields(event: AuditEvent) -> dict[str, object]:
    """Return the record's fields, nothing nested but `properties`; what is unknown is absent.

    Texts are cut to `MAX_TEXT`. A property whose name says that it holds a secret shows no value.

    Raises:
        OverflowError, ValueError: the event's time is none.
    """
    return {
        "timestamp": timestamp(event.time),
        "schema": SCHEMA,
        "request_id": event.request_id,
        "duration_ms": round(event.duration * 1000, 3),
        **shared_fields(event),
    }


def shared_fields(event: AuditEvent) -> dict[str, object]:
    """Return those that events may have in common."""
    fields = outcome_fields(event) | request_fields(event)
    match event.caller:
        case Caller() as caller:
            fields |= claims_fields(caller.entity) | claims_fields(caller.host)
            if caller.application is not None:
                fields["application"] = cut(caller.application)
        case Workload() as workload:
            fields |= workload_fields(workload)
        case None:
            pass
    if event.upstream_request_id is not None:
        fields["upstream_request_id"] = cut(event.upstream_request_id)
    return fields


def outcome_fields(event: AuditEvent) -> dict[str, object]:
    """Return what became of the request, and by which rule."""
    fields: dict[str, object] = {
        "operation": cut(event.operation),
        "backend": event.backend,
        "outcome": event.outcome.value,
        "reason": event.reason,
    }
    if event.count != 1:
        fields["count"] = event.count
    if event.error is not None:
        fields["error"] = event.error
    if event.advice is not None:
        fields["advice"] = cut(event.advice)
    if event.server_key is not None:
        fields["server_key"] = event.server_key.value
    if event.allowed is not None:
        fields["decision"] = "allow" if event.allowed else "deny"
    for name, text in (
        ("grant", event.grant),
        ("version_served", event.version_served),
        ("served_from", event.served_from),
        ("note", event.note),
    ):
        if text is not None:
            fields[name] = cut(text)
    if event.requester is not None:
        fields["requester_account"] = cut(event.requester.account)
        if event.requester.user is not None:
            fields["requester_user"] = cut(event.requester.user)
    return fields


def request_fields(event: AuditEvent) -> dict[str, object]:
    """Return what was asked for, and where in the store that is."""
    fields: dict[str, object] = {}
    if event.key is not None:
        fields["key"] = cut(event.key)
    if event.field is not None:
        fields["field"] = cut(event.field)
    if event.version_asked is not None:
        fields["version_asked"] = cut(event.version_asked)
    if event.properties:
        fields["properties"] = _shown_properties(event.properties)
    if event.location is not None:
        fields["path"] = cut(event.location.path)
        for name, text in event.location.scope:
            fields[f"scope_{name}"] = cut(text)
    return fields


def claims_fields(claims: Claims) -> dict[str, object]:
    """Return what a token says, of the host or of the entity that it is for."""
    if claims.kind is IdentityKind.HOST:
        fields: dict[str, object] = {"host": claims.subject}
        if claims.name is not None:
            fields["host_name"] = cut(claims.name)
        return fields
    fields = {
        "entity": claims.subject,
        "entity_kind": claims.kind.value,
        "issuer": claims.issuer,
        "token_id": cut(claims.token_id),
    }
    if claims.name is not None:
        fields["entity_name"] = cut(claims.name)
    if claims.revision is not None:
        fields["entity_revision"] = claims.revision
    if claims.artifact_hash is not None:
        fields["entity_hash"] = cut(claims.artifact_hash)
    if claims.tags:
        fields["entity_tags"] = _shown_tags(claims.tags)
    return fields


def workload_fields(workload: Workload) -> dict[str, object]:
    """Return how the operator names the workload that a secret was read for."""
    return {
        "workload_environment": cut(workload.environment),
        "workload_namespace": cut(workload.namespace),
        "workload_name": cut(workload.name),
    }


def cut(text: str) -> str:
    """Return the text, shortened as every text in a record: by characters, and by bytes of JSON."""
    if len(text) <= _ALWAYS_FITS:
        return text
    kept = text[:MAX_TEXT]
    if encoded_bytes(kept) > MAX_TEXT_BYTES:
        room, end = MAX_TEXT_BYTES, 0
        for character in kept:
            room -= encoded_bytes(character)
            if room < 0:
                break
            end += 1
        kept = kept[:end]
    return text if kept == text else kept + _CUT


def encoded_bytes(text: str) -> int:
    """Return how many bytes the text takes in ASCII JSON, without the quotes."""
    return len(_encode(text)) - 2


def _shown_tags(tags: Iterable[str]) -> list[str]:
    shown: list[str] = []
    room = MAX_GROUP_BYTES
    for tag in tags:
        text = cut(tag)
        room -= encoded_bytes(text) + _SEPARATORS
        if room < 0:
            break
        shown.append(text)
    return shown


def _shown_properties(properties: Mapping[str, str]) -> dict[str, str]:
    shown: dict[str, str] = {}
    room = MAX_GROUP_BYTES
    for name, value in properties.items():
        label = cut(name)
        text = REDACTED if is_sensitive_name(label) else cut(value)
        room -= encoded_bytes(label) + encoded_bytes(text) + _SEPARATORS
        if room < 0:
            break
        shown[label] = text
    return shown


def timestamp(time: float) -> str:
    """Write seconds since the epoch as records do: in UTC, with microseconds.

    Raises:
        OverflowError, ValueError: it is no time.
    """
    # Formatting a date costs more than all other fields together; its seconds rarely change.
    seconds = int(time // 1)
    return f"{_whole_seconds(seconds)}.{int((time - seconds) * 1_000_000):06d}Z"


@lru_cache(maxsize=4)
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_encode = json.JSONEncoder().encode
