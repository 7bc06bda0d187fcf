"""Version 2 carries text only: what is none is refused before it goes to a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.errors import InvalidRequest
from domain.model.replies import wire_name
from domain.model.secret import Secret

if TYPE_CHECKING:
    from domain.model.errors import RequestError
    from domain.use_cases.read_for_workload import WorkloadRead


def text_outcome(read: WorkloadRead) -> Secret | RequestError:
    """Return a secret whose value is a text, or why the workload gets none."""
    outcome = read.outcome
    if not isinstance(outcome, Secret):
        return outcome
    value = outcome.value.reveal()
    if isinstance(value, str) and "\0" not in value and _is_unicode(value):
        return outcome
    return InvalidRequest(
        "The secret is binary, and version 2 takes text only; store it as text, such as in base64.",
        reason="value_not_text",
    )


def shown(refusal: RequestError, read: WorkloadRead) -> str:
    """Return a refusal for the workload's operator, with the request id to look it up by."""
    return f"{wire_name(refusal)}: {refusal.advice} (request {read.request_id})"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
