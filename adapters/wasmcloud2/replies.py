"""What a host answers about a workload: read, written as a refusal, and cleared of values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.wasmcloud2.message import MAX_BRACKETS
from adapters.wasmcloud2.redaction import Redaction
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

STATE: Final = "WORKLOAD_STATE_"
ERROR: Final = "ERROR"
RUNNING: Final = "RUNNING"
STARTING: Final = "STARTING"
NOT_FOUND: Final = "NOT_FOUND"
LIVES: Final = frozenset({RUNNING, STARTING})


class WorkloadStatus(NamedTuple):
    """A host's answer. `state`: without its prefix, such as "RUNNING"."""

    workload_id: str
    state: str
    message: str


def refused(workload_id: str, message: str) -> bytes:
    """Write the answer of a host that could not start a workload."""
    status = {"workloadId": workload_id, "workloadState": f"{STATE}{ERROR}", "message": message}
    return json.dumps({"workloadStatus": status}).encode()


def read_status(body: bytes) -> WorkloadStatus | None:
    """Read a host's answer; None if it is none."""
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        return None
    found = document.get("workloadStatus") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        return None
    parts = [found.get(name, "") for name in ("workloadId", "workloadState", "message")]
    if not all(isinstance(part, str) for part in parts):
        return None
    return WorkloadStatus(parts[0], parts[1].removeprefix(STATE), parts[2])


def without(body: bytes, values: Iterable[str]) -> bytes:
    """Return an answer with each value replaced, in every text of it; the same bytes if in none."""
    redaction = Redaction(values)
    if not redaction:
        return body
    try:
        document = parse_json(body, max_brackets=MAX_BRACKETS)
    except MalformedJsonError:
        text = body.decode("utf-8", "replace")
        cleared = redaction.clear(text)
        return body if cleared == text else cleared.encode()
    cleared_document = _cleared(document, redaction)
    return body if cleared_document == document else json.dumps(cleared_document).encode()


def without_in_text(text: str, values: Iterable[str]) -> str:
    """Return a text with each value replaced."""
    return Redaction(values).clear(text)


def _cleared(node: Any, redaction: Redaction) -> Any:
    match node:
        case str():
            return redaction.clear(node)
        case list():
            return [_cleared(child, redaction) for child in node]
        case dict():
            return {
                redaction.clear(name): _cleared(child, redaction) for name, child in node.items()
            }
        case _:
            return node
