"""What is kept about one request: never a value, a token or a seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import Caller
    from domain.model.reference import SecretLocation
    from domain.model.transport import Requester
    from domain.model.workload import Workload


class Outcome(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class ServerKey(StrEnum):
    """Which of the server's xkeys a request was sealed for."""

    CURRENT = "current"
    RETIRED = "retired"


@dataclass(slots=True)
class AuditEvent:
    """One request and its end.

    The core fills it in on the request's way, so that whatever ends the request, all that was known
    by then is recorded. After that the event does not change any more.

    Attributes:
        received_at: monotonic seconds at which the request arrived.
        backend: the name this backend is addressed by.
        requester: whom the transport vouches for, if it does.
        time: seconds since the epoch, at the end of the request.
        duration: seconds from arrival to the end.
        reason: a constant code: why it was allowed, or why it failed.
        error: the wire error's name, such as "Unauthorized"; None when answered.
        advice: what the error's reader should do; the protocol carries it for some errors only.
        caller: whom the tokens named, once both were verified; or the workload that is meant.
        key: the key as sent, once the request could be read.
        properties: the policy properties as sent, once they could be read.
        location: where the store keeps it, once known.
        allowed: what the rules decided, once they were asked; an allowed request can still fail.
        grant: the name of the rule that allowed it, if one did.
        served_from: where the answer came from, such as "store".
        server_key: what the request was sealed for, once it could be read.
        count: how many requests that ended alike this event stands for; 1 but for a summary.
        note: a constant code of the store about the value served, as in `Secret.note`.
    """

    request_id: str
    operation: str
    received_at: float
    backend: str = ""
    requester: Requester | None = None
    time: float = 0.0
    duration: float = 0.0
    outcome: Outcome = Outcome.CANCELLED
    reason: str = "cancelled"
    error: str | None = None
    advice: str | None = None
    caller: Caller | Workload | None = None
    key: str | None = None
    field: str | None = None
    version_asked: str | None = None
    properties: Mapping[str, str] | None = None
    location: SecretLocation | None = None
    allowed: bool | None = None
    grant: str | None = None
    version_served: str | None = None
    served_from: str | None = None
    upstream_request_id: str | None = None
    server_key: ServerKey | None = None
    count: int = 1
    note: str | None = None

    @property
    def has_left(self) -> bool:
        """Whether a secret has left by this request."""
        return self.outcome is Outcome.ANSWERED and self.caller is not None
