"""Audit records as lines of JSON, put together from parts that were written before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeVar, final

from pydantic_core import to_json

from adapters.telemetry.audit_record import (
    EVENT,
    SCHEMA,
    claims_fields,
    cut,
    outcome_fields,
    request_fields,
    shared_fields,
    timestamp,
    workload_fields,
)
from adapters.telemetry.redaction import redact_text
from domain.model.audit import Outcome
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.audit import AuditEvent
    from domain.model.identity import Caller, Claims

CAPACITY: Final = 2048
"""Parts remembered of each kind; a part has a few hundred bytes."""

_Key = TypeVar("_Key")
_Part = TypeVar("_Part")


@final
class AuditLines:
    """Writes records and remembers their parts: the same callers ask for the same secrets.

    The core hands out the same caller, claims, location and properties again, so these are compared
    by identity: to compare their contents would cost what is saved.
    """

    def __init__(self) -> None:
        self._outcomes: dict[object, str] = {}
        self._requests: dict[object, tuple[object, str]] = {}
        self._callers: dict[int, tuple[Caller, str]] = {}
        self._claims: dict[int, tuple[Claims, str]] = {}
        self._texts: dict[str, str] = {}

    def __len__(self) -> int:
        by_object = len(self._requests) + len(self._callers) + len(self._claims)
        return by_object + len(self._outcomes) + len(self._texts)

    def line(self, event: AuditEvent, level: str | None = None) -> str:
        """Return the record as one line of ASCII JSON, without a newline after it.

        Whatever looks like a seed, a JWT or a bearer credential is hidden, wherever it stands.

        Args:
            event: what is written; its request id is the service's own, of letters, digits and "-".
            level: how loudly; a log's records say that second.

        Raises:
            OverflowError, ValueError: the event's time is none.
        """
        label = f'"level":"{level}",' if level else ""
        return (
            f'{{"timestamp":"{timestamp(event.time)}",{label}{_NAMED}'
            f'"request_id":"{event.request_id}","duration_ms":{event.duration * 1000:.3f}'
            f"{self._shared(event)}}}"
        )

    def _shared(self, event: AuditEvent) -> str:
        caller = event.caller
        if caller is None or event.outcome is not _ANSWERED:
            # Refusals differ too much to be worth their memory, and any client can cause them.
            return _members(shared_fields(event))
        text = f"{self._outcome(event)}{self._request(event)}{self._caller(caller)}"
        if event.upstream_request_id is not None:
            text += f',"upstream_request_id":{self._text(event.upstream_request_id)}'
        return text

    def _outcome(self, event: AuditEvent) -> str:
        key = (
            event.operation,
            event.reason,
            event.error,
            event.advice,
            event.allowed,
            event.grant,
            event.version_served,
            event.served_from,
            event.note,
            event.backend,
            id(event.server_key),
            event.count,
            event.requester and (event.requester.account, event.requester.user),
        )
        return self._outcomes.get(key) or _keep(
            self._outcomes, key, _members(outcome_fields(event))
        )

    def _request(self, event: AuditEvent) -> str:
        location, properties = event.location, event.properties
        key = id(location), id(properties), event.key, event.field, event.version_asked
        known = self._requests.get(key)
        if known is None:
            # The objects are kept with it: an id is one object's only as long as that lives.
            kept = location, properties
            known = _keep(self._requests, key, (kept, _members(request_fields(event))))
        return known[1]

    def _caller(self, caller: Caller | Workload) -> str:
        known = self._callers.get(id(caller))
        if known is None:
            if isinstance(caller, Workload):
                return _members(workload_fields(caller))
            text = f"{self._claims_of(caller.entity)}{self._claims_of(caller.host)}"
            if caller.application is not None:
                text += f',"application":{self._text(caller.application)}'
            known = _keep(self._callers, id(caller), (caller, text))
        return known[1]

    def _claims_of(self, claims: Claims) -> str:
        known = self._claims.get(id(claims))
        if known is None:
            known = _keep(self._claims, id(claims), (claims, _members(claims_fields(claims))))
        return known[1]

    def _text(self, text: str) -> str:
        text = cut(text)
        return self._texts.get(text) or _keep(self._texts, text, redact_text(_encode(text)))


def _keep(parts: dict[_Key, _Part], key: _Key, part: _Part) -> _Part:
    if len(parts) >= CAPACITY:
        parts.clear()
    parts[key] = part
    return part


def _members(fields: Mapping[str, object]) -> str:
    """Write fields to follow others; nothing for none."""
    try:
        text = to_json(fields, ensure_ascii=True).decode("ascii")
    except ValueError:
        # Half a surrogate pair, which only the slower encoder writes.
        text = _encode(fields)
    return f",{redact_text(text[1:-1])}" if fields else ""


_NAMED = f'"event":"{EVENT}","schema":{SCHEMA},'
_ANSWERED = Outcome.ANSWERED
_encode = json.JSONEncoder(separators=(",", ":")).encode
