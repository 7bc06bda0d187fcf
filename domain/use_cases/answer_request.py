"""The core's single entry: any request in, exactly one reply out."""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.model.audit import Outcome
from domain.model.errors import REQUEST_ERRORS, OtherError, SecretNotFound
from domain.model.messages import SecretRequest
from domain.model.reference import SecretQuery
from domain.model.replies import write_error
from domain.model.transport import Operation, Reply
from domain.use_cases.known_requests import KnownRequests
from domain.use_cases.request_record import RequestRecord
from ports.transport import RequestHandler

if TYPE_CHECKING:
    from domain.model.authenticated_request import AuthenticatedRequest
    from domain.model.errors import RequestError
    from domain.model.transport import Request
    from domain.use_cases.authenticate_caller import AuthenticateCaller
    from domain.use_cases.authorize_access import AuthorizeAccess
    from domain.use_cases.fetch_secret import FetchSecret
    from domain.use_cases.open_request import OpenRequest
    from domain.use_cases.seal_reply import SealReply
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.fault_log import FaultLog
    from ports.request_ids import RequestIds

_REFUSALS = {
    "overloaded": "The service has too many requests in flight; start the component again in 10 "
    "seconds, when those are over.",
    "stopping": "The service is stopping; start the component again, another replica will answer.",
}


@dataclass(frozen=True, slots=True)
class AnswerRequest(RequestHandler):
    """Answers `server_xkey` and `get`; turns every failure into the protocol's own error.

    The steps of `get` run in one fixed order, each one's failure ending the request, so that no
    answer tells whether a later step would have passed.
    """

    open_request: OpenRequest
    authenticate: AuthenticateCaller
    authorize: AuthorizeAccess
    fetch: FetchSecret
    seal: SealReply
    clock: Clock
    audit: AuditTrail
    faults: FaultLog
    request_ids: RequestIds
    timeout_seconds: float
    _known: KnownRequests = field(
        default_factory=KnownRequests, init=False, repr=False, compare=False
    )

    async def handle(self, request: Request) -> Reply:
        """Answer one request; raises nothing but a cancellation from outside."""
        record = RequestRecord(self.request_ids.next(), request, self.authorize.backend)
        try:
            match request.operation:
                case Operation.GET:
                    reply = await self._get(request, record)
                case Operation.SERVER_XKEY:
                    reply = Reply(self.open_request.keys.current.public.encode())
                case _:
                    raise OtherError(  # noqa: TRY301  answered below, as every other failure
                        "This service knows the operations server_xkey and get; check the subject.",
                        reason="unknown_operation",
                    )
        except REQUEST_ERRORS as error:
            return self._refuse(error, record)
        except CancelledError:
            self._close(record, Outcome.CANCELLED, "cancelled")
            raise
        except Exception as error:  # noqa: BLE001  the one boundary: a peer must get an answer
            self.faults.unexpected(error, record.request_id)
            return self._refuse(_UNEXPECTED, record)
        reason = record.access.decision.reason if record.access else "public"
        self._close(record, Outcome.ANSWERED, reason)
        return reply

    def refuse(self, request: Request, reason: str) -> Reply:
        """Answer at once that the service cannot take this request now."""
        record = RequestRecord(self.request_ids.next(), request, self.authorize.backend)
        return self._refuse(OtherError(_REFUSALS[reason], reason=reason), record)

    async def _get(self, request: Request, record: RequestRecord) -> Reply:
        if not self.audit.accepts():
            raise OtherError(
                "The audit trail is full, and no secret leaves unrecorded; make room for it.",
                reason="audit_unavailable",
            )
        opened = self.open_request(request)
        record.server_key = opened.server_key
        known = self._known.find(opened.plaintext)
        if known is None:
            asking = self._read(opened.plaintext, record)
        else:
            asking = known
            record.asked = known.asked
            self.authenticate.again(known.caller)
        record.caller = asking.caller
        access = record.access = self.authorize(asking, request.requester)
        location = access.enforce()
        if known is None:
            self._known.keep(opened.plaintext, asking)
        deadline = request.received_at + self.timeout_seconds
        query = SecretQuery(location, asking.asked.version, asking.caller, deadline)
        try:
            secret = await self.fetch(query, asking.asked.field)
        except SecretNotFound as error:
            raise access.missing(error) from None
        record.version_served = secret.version
        record.upstream_request_id = secret.upstream_request_id
        record.served_from = secret.source
        return self.seal(secret, opened.host_xkey, request.max_reply_bytes)

    def _read(self, plaintext: bytes, record: RequestRecord) -> AuthenticatedRequest:
        message = SecretRequest.from_json(plaintext)
        record.asked = message.asked
        return self.authenticate(message)

    def _refuse(self, error: RequestError, record: RequestRecord) -> Reply:
        record.upstream_request_id = error.upstream_request_id or record.upstream_request_id
        self._close(record, Outcome.REFUSED, error.reason, error)
        return Reply(write_error(error, record.request_id))

    def _close(
        self,
        record: RequestRecord,
        outcome: Outcome,
        reason: str,
        error: RequestError | None = None,
    ) -> None:
        self.audit.record(
            record.close(
                outcome, reason, error, now=self.clock.now(), monotonic=self.clock.monotonic()
            )
        )


_UNEXPECTED = OtherError(
    "The service failed in a way nobody foresaw; look the request up in its log and report it.",
    reason="unexpected",
)
