"""The core's single entry: any request in, exactly one reply out."""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from collections.abc import Coroutine

    from domain.model.authenticated_request import AuthenticatedRequest
    from domain.model.errors import RequestError
    from domain.model.identity import PublicXKey
    from domain.model.secret import Secret
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


class _Asking(NamedTuple):
    """What is left to do once a request may be answered: ask the store, and seal for the host."""

    query: SecretQuery
    field: str | None
    host_xkey: PublicXKey


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

    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        """Answer one request if its secret is at hand; else return what to await.

        Raises nothing, but when awaited a cancellation from outside.
        """
        record = RequestRecord(self.request_ids.next(), request, self.authorize.backend)
        try:
            match request.operation:
                case Operation.GET:
                    asking = self._ask(request, record)
                    secret = self.fetch.at_hand(asking.query, asking.field)
                    if secret is None:
                        return self._wait(asking, record)
                    reply = self._give(secret, asking, record)
                case Operation.SERVER_XKEY:
                    reply = Reply(self.open_request.keys.current.public.encode())
                case _:
                    raise OtherError(  # noqa: TRY301  answered below, as every other failure
                        "This service knows the operations server_xkey and get; check the subject.",
                        reason="unknown_operation",
                    )
        except Exception as error:  # noqa: BLE001  the one boundary: a peer must get an answer
            return self._fail(error, record)
        return self._end(reply, record)

    def refuse(self, request: Request, reason: str) -> Reply:
        """Answer at once that the service cannot take this request now."""
        record = RequestRecord(self.request_ids.next(), request, self.authorize.backend)
        return self._refuse(OtherError(_REFUSALS[reason], reason=reason), record)

    def _ask(self, request: Request, record: RequestRecord) -> _Asking:
        """Take every step before the store's."""
        if not self.audit.accepts():
            raise OtherError(
                "The audit trail is full, and no secret leaves unrecorded; make room for it.",
                reason="audit_unavailable",
            )
        opened = self.open_request(request)
        record.server_key = opened.server_key
        known = self._known.find(opened.plaintext)
        if known is None:
            authenticated = self._read(opened.plaintext, record)
        else:
            authenticated = known
            record.asked = known.asked
            self.authenticate.again(known.caller)
        record.caller = caller = authenticated.caller
        access = record.access = self.authorize(authenticated, request.requester)
        location = access.enforce()
        if known is None:
            self._known.keep(opened.plaintext, authenticated)
        asked = authenticated.asked
        deadline = request.received_at + self.timeout_seconds
        query = SecretQuery(location, asked.version, caller, deadline)
        return _Asking(query, asked.field, opened.host_xkey)

    def _read(self, plaintext: bytes, record: RequestRecord) -> AuthenticatedRequest:
        message = SecretRequest.from_json(plaintext)
        record.asked = message.asked
        return self.authenticate(message)

    async def _wait(self, asking: _Asking, record: RequestRecord) -> Reply:
        try:
            secret = await self.fetch(asking.query, asking.field)
            reply = self._give(secret, asking, record)
        except CancelledError:
            self._close(record, Outcome.CANCELLED, "cancelled")
            raise
        except Exception as error:  # noqa: BLE001  as in `begin`
            return self._fail(error, record)
        return self._end(reply, record)

    def _give(self, secret: Secret, asking: _Asking, record: RequestRecord) -> Reply:
        record.version_served = secret.version
        record.upstream_request_id = secret.upstream_request_id
        record.served_from = secret.source
        return self.seal(secret, asking.host_xkey, record.request.max_reply_bytes)

    def _end(self, reply: Reply, record: RequestRecord) -> Reply:
        reason = record.access.decision.reason if record.access else "public"
        self._close(record, Outcome.ANSWERED, reason)
        return reply

    def _fail(self, error: Exception, record: RequestRecord) -> Reply:
        if isinstance(error, SecretNotFound) and record.access is not None:
            return self._refuse(record.access.missing(error), record)
        if isinstance(error, REQUEST_ERRORS):
            return self._refuse(error, record)
        self.faults.unexpected(error, record.request_id)
        return self._refuse(_UNEXPECTED, record)

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
