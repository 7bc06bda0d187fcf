"""What the API server said, read leniently: its Content-Type does not always tell the truth.

A refusal is a Status object, but 429 and the health paths are plain text, a 504 is JSON that calls
itself text and has no `kind`, and some failures have no body at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SAFE_REASON = re.compile(r"[A-Za-z]{1,64}", re.ASCII)
_MAX_RETRY_AFTER = 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API server.

    Attributes:
        document: the members of the body; empty when it is no JSON object.
        request_id: the id under which the server's own audit log has the call.
        retry_after: seconds that the server asks to wait; None where it does not say.
    """

    status: int
    document: Mapping[str, object] = field(repr=False)
    request_id: str | None = None
    retry_after: float | None = None

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Read an answer whose header names are in lower case."""
        request_id = headers.get("audit-id", "")
        return cls(
            status,
            read_object(body),
            request_id if _SAFE_ID.fullmatch(request_id) else None,
            _seconds(headers.get("retry-after", "")),
        )

    @property
    def reason(self) -> str:
        """The Status object's `reason`, such as "NotFound"; "" if there is none."""
        reason = self.document.get("reason")
        return reason if isinstance(reason, str) and _SAFE_REASON.fullmatch(reason) else ""

    @property
    def is_status(self) -> bool:
        """Whether a Kubernetes API server wrote it; a proxy or another service does not."""
        return self.document.get("status") == "Failure" and bool(self.reason)

    @property
    def refused_kind(self) -> str:
        """The kind of object that the refusal is about, such as "secrets" or "users"; "" if none.

        A path that the server does not know is about none.
        """
        details = self.document.get("details")
        kind = details.get("kind") if isinstance(details, dict) else None
        return kind if isinstance(kind, str) else ""

    def log_fields(self) -> dict[str, str | int | None]:
        """Return what is harmless to log: the message names accounts and namespaces."""
        return {
            "status": self.status,
            "status_reason": self.reason or None,
            "upstream_request_id": self.request_id,
        }


def read_object(body: bytes) -> Mapping[str, object]:
    """Return the members of a JSON object, whatever it calls itself; empty if it is none."""
    try:
        document = parse_json(body)
    except MalformedJsonError:
        return {}
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}


def _seconds(text: str) -> float | None:
    """Read Retry-After as the API server writes it: whole seconds."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_RETRY_AFTER))):
        return None
    return min(float(text), _MAX_RETRY_AFTER)
