"""Audit records as lines of JSON, written anew only where one differs from the last alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias, final

from pydantic_core import to_json

from adapters.telemetry.audit_record import EVENT, SCHEMA, lasting_fields, timestamp
from adapters.telemetry.redaction import redact_text
from domain.model.secret import FROM_STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.audit import AuditEvent

CAPACITY: Final = 2048
"""Records remembered at once; a usual one has about 1 KiB."""

_Source: TypeAlias = "tuple[object, object, object]"


@final
class AuditLines:
    """Writes records and remembers most of each: a host asks for the same secret in the same words.

    The core hands out the same caller, location and properties for the same request, so these are
    told apart by which objects they are: to compare what is in them would cost what is saved.
    """

    def __init__(self) -> None:
        self._known: dict[object, tuple[_Source, str]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def line(self, event: AuditEvent, level: str | None = None) -> str:
        """Return the record as one line of ASCII JSON, without a newline after it.

        Whatever looks like a seed, a JWT or a bearer credential is hidden, wherever it stands.

        Args:
            event: what is told; its request id is the service's own, of letters, digits and "-".
            level: how loudly; a log's records say that second.

        Raises:
            OverflowError, ValueError: the event's time is none.
        """
        label = f'"level":"{level}",' if level else ""
        return (
            f'{{"timestamp":"{timestamp(event.time)}",{label}"event":"{EVENT}","schema":{SCHEMA},'
            f'"request_id":"{event.request_id}","duration_ms":{event.duration * 1000:.3f},'
            f"{self._lasting(event)}}}"
        )

    def _lasting(self, event: AuditEvent) -> str:
        if not event.has_left or (event.upstream_request_id and event.served_from == FROM_STORE):
            # Too many differ: refusals, which anybody can cause, and answers to calls of their own.
            return _members(lasting_fields(event))
        source = event.caller, event.location, event.properties
        key = (
            *map(id, source),
            event.operation,
            event.key,
            event.field,
            event.version_asked,
            event.version_served,
            event.reason,
            event.error,
            event.advice,
            event.allowed,
            event.grant,
            event.served_from,
            event.upstream_request_id,
            event.backend,
            id(event.server_key),
            event.requester and (event.requester.account, event.requester.user),
        )
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= CAPACITY:
                self._known.clear()
            # The objects are kept with it: an id is one object's only as long as that lives.
            known = self._known[key] = source, _members(lasting_fields(event))
        return known[1]


def _members(fields: Mapping[str, object]) -> str:
    try:
        text = to_json(fields, ensure_ascii=True).decode("ascii")
    except ValueError:
        # Half a surrogate pair, which only the slower encoder writes.
        text = _encode(fields)
    return redact_text(text[1:-1])


_encode = json.JSONEncoder(separators=(",", ":")).encode
