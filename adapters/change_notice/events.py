"""The event `secrets.changed`, schema 1; docs/change-notice.md lists its members."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.change_notice.messages import Invalidation

EVENT: Final = "changed"
EVENT_SCHEMA: Final = 1


def changed_event(invalidation: Invalidation, backend: str, now: float, replicas: int) -> bytes:
    """Write it; it holds no value. `replicas`: how many processes said that they forgot it."""
    selection = invalidation.selection
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return json.dumps(
        {
            "schema": EVENT_SCHEMA,
            "event": "secrets.changed",
            "id": invalidation.id,
            "time": time.replace("+00:00", "Z"),
            "cause": invalidation.cause.value,
            "backend": backend,
            "environment": selection.coordinate("environment"),
            "project_id": selection.coordinate("project_id"),
            "scope": dict(selection.scope),
            "folder": selection.folder if selection.key is None else None,
            "key": selection.key,
            "replicas": replicas,
        }
    ).encode()
