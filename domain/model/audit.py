"""What is kept about one request: never a value, a token or a seed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import Caller
    from domain.model.reference import SecretLocation
    from domain.model.transport import Requester


class Outcome(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class ServerKey(StrEnum):
    """Which of the server's xkeys a request was sealed for."""

    CURRENT = "current"
    RETIRED = "retired"


class AuditEvent(NamedTuple):
    """One request and its end.

    A named tuple: every request makes one, and a frozen dataclass takes twice as long to make.

    Attributes:
        time: seconds since the epoch, at the end of the request.
        duration: seconds from arrival to the end.
        reason: a constant code: why it was allowed, or why it failed.
        error: the wire error's name, such as "Unauthorized"; None when answered.
        advice: what the error's reader should do; the protocol carries it for some errors only.
        caller: whom the tokens named, once both were verified.
        requester: whom the transport vouches for, if it does.
        backend: the name this backend is addressed by.
        key: the key as sent, once the request could be read.
        properties: the policy properties as sent, once they could be read.
        allowed: what the rules decided, once they were asked; an allowed request can still fail.
        grant: the name of the rule that allowed it, if one did.
        served_from: where the answer came from, such as "store".
        location: where the store keeps it, once known.
        version_served: the version in the answer.
        server_key: what the request was sealed for, once it could be read.
    """

    time: float
    duration: float
    request_id: str
    operation: str
    outcome: Outcome
    reason: str
    error: str | None = None
    caller: Caller | None = None
    requester: Requester | None = None
    key: str | None = None
    field: str | None = None
    version_asked: str | None = None
    version_served: str | None = None
    location: SecretLocation | None = None
    grant: str | None = None
    upstream_request_id: str | None = None
    backend: str = ""
    properties: Mapping[str, str] | None = None
    allowed: bool | None = None
    served_from: str | None = None
    advice: str | None = None
    server_key: ServerKey | None = None

    @property
    def has_left(self) -> bool:
        """Whether a secret has left by this request."""
        return self.outcome is Outcome.ANSWERED and self.caller is not None
