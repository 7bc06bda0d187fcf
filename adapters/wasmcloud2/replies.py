"""What a host answers about a workload: read, written as a refusal, and cleared of values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

STATE: Final = "WORKLOAD_STATE_"
ERROR: Final = "ERROR"
RUNNING: Final = "RUNNING"
STARTING: Final = "STARTING"
NOT_FOUND: Final = "NOT_FOUND"
LIVES: Final = frozenset({RUNNING, STARTING})

REDACTED: Final = "[redacted]"

_SHORT: Final = 4
"""Shorter values are looked for as whole words only: each text holds their characters."""


class WorkloadStatus(NamedTuple):
    """A host's answer.

    Attributes:
        state: without its prefix, such as "RUNNING".
    """

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
        document = parse_json(body)
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
    """Return an answer with each value replaced, in every text of it; the same bytes if in none.

    A value is found as it is, as JSON writes it, and as Rust's debug format does.
    """
    pattern = _pattern(values)
    if pattern is None:
        return body
    try:
        document = parse_json(body)
    except MalformedJsonError:
        text = body.decode("utf-8", "replace")
        cleared = pattern.sub(REDACTED, text)
        return body if cleared == text else cleared.encode()
    cleared_document = _cleared(document, pattern)
    return body if cleared_document == document else json.dumps(cleared_document).encode()


def without_in_text(text: str, values: Iterable[str]) -> str:
    """Return a text with each value replaced."""
    pattern = _pattern(values)
    return text if pattern is None else pattern.sub(REDACTED, text)


def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    forms = {form for value in values if value for form in _forms(value)}
    if not forms:
        return None
    # The longest first, so that no part of a value stays beside the mark.
    return re.compile("|".join(map(_literal, sorted(forms, key=len, reverse=True))))


def _forms(value: str) -> Iterable[str]:
    yield value
    for ascii_only in (True, False):
        yield json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    yield (
        value.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )


def _literal(form: str) -> str:
    literal = re.escape(form)
    return rf"(?<!\w){literal}(?!\w)" if len(form) < _SHORT else literal


def _cleared(node: Any, pattern: re.Pattern[str]) -> Any:
    match node:
        case str():
            return pattern.sub(REDACTED, node)
        case list():
            return [_cleared(child, pattern) for child in node]
        case dict():
            return {
                pattern.sub(REDACTED, name): _cleared(child, pattern)
                for name, child in node.items()
            }
        case _:
            return node
