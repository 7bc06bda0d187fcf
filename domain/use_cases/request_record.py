"""What is learned about a request on its way, for the one audit event at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.audit import AuditEvent, Outcome
from domain.model.replies import wire_name

if TYPE_CHECKING:
    from domain.model.audit import ServerKey
    from domain.model.authenticated_request import AskedSecret
    from domain.model.errors import RequestError
    from domain.model.identity import Caller
    from domain.model.transport import Request
    from domain.use_cases.authorize_access import Access


@dataclass(slots=True)
class RequestRecord:
    """Filled in step by step; whatever ends the request, the record holds all known by then."""

    request_id: str
    request: Request
    backend: str
    asked: AskedSecret | None = None
    caller: Caller | None = None
    access: Access | None = None
    version_served: str | None = None
    upstream_request_id: str | None = None
    served_from: str | None = None
    server_key: ServerKey | None = None

    def close(
        self,
        outcome: Outcome,
        reason: str,
        error: RequestError | None,
        *,
        now: float,
        monotonic: float,
    ) -> AuditEvent:
        """Return the event for a request that ended now."""
        asked, access = self.asked, self.access
        return AuditEvent(
            time=now,
            duration=monotonic - self.request.received_at,
            request_id=self.request_id,
            operation=self.request.operation,
            outcome=outcome,
            reason=reason,
            error=wire_name(error) if error else None,
            caller=self.caller,
            requester=self.request.requester,
            key=asked.key if asked else None,
            field=asked.field if asked else None,
            version_asked=asked.version if asked else None,
            version_served=self.version_served,
            location=access.location if access else None,
            grant=access.decision.grant if access else None,
            upstream_request_id=self.upstream_request_id,
            backend=self.backend,
            properties=access.properties if access else None,
            allowed=access.decision.allowed if access else None,
            served_from=self.served_from,
            advice=error.advice if error else None,
            server_key=self.server_key,
        )
