"""The core's single entry: any request in, exactly one reply out."""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from domain.model.audit import AuditEvent, Outcome
from domain.model.errors import KeyProbe, OtherError, RequestError, SecretNotFound
from domain.model.messages import SecretRequest
from domain.model.opaque import opaque
from domain.model.reference import SecretQuery
from domain.model.replies import write_error
from domain.model.transport import Operation, Reply
from domain.use_cases.host_waits import HostWaits
from domain.use_cases.known_requests import KnownRequests, words_of
from ports.transport import RequestHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from domain.model.authenticated_request import AskedSecret, AuthenticatedRequest
    from domain.model.identity import Caller, PublicXKey
    from domain.model.secret import Secret
    from domain.model.transport import Request
    from domain.use_cases.authenticate_caller import AuthenticateCaller
    from domain.use_cases.authorize_access import Access, AuthorizeAccess
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
    "reply_not_carried": "The answer is longer than the transport lets this service send; store a "
    "smaller secret, or raise the limit of the service's login.",
    "stopping": "The service is stopping; start the component again, another replica will answer.",
}

_Asking: TypeAlias = (
    "tuple[AuthenticatedRequest, SecretQuery, str | None, PublicXKey, int | None, Access]"
)
"""What is left to do once a request may be answered: ask the store, select the field from the value
(None also where the store selects it itself), and seal for the host, in so many bytes at most."""


@opaque
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
    host_waits: HostWaits = field(default_factory=lambda: HostWaits(0))
    _known: KnownRequests = field(
        default_factory=KnownRequests, init=False, repr=False, compare=False
    )

    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        """Answer one request if its secret is cached; else return what to await.

        Raises nothing, but when awaited a cancellation from outside.
        """
        event, access = self._new_event(request), None
        try:
            if event.operation == _GET:
                asking = self._ask(request, event)
                _, query, field, host_xkey, max_bytes, access = asking
                secret = self.fetch.cached(query, field)
                if secret is None:
                    return self._wait(asking, event, self.authorize.revision)
                reply = self._give(secret, host_xkey, max_bytes, event)
            elif event.operation == _SERVER_XKEY:
                reply = Reply(self.open_request.keys.current.public.encode())
            else:
                raise OtherError(  # noqa: TRY301  answered below, as every other failure
                    "This service knows the operations server_xkey and get; check the subject.",
                    reason="unknown_operation",
                )
        except Exception as error:  # noqa: BLE001  the one boundary: a peer must get an answer
            return self._fail(error, access, event)
        return self._end(reply, access, event)

    def refuse(self, request: Request, reason: str) -> Reply:
        """Answer at once that the service cannot take this request now."""
        return self._refuse(OtherError(_REFUSALS[reason], reason=reason), self._new_event(request))

    def _new_event(self, request: Request) -> AuditEvent:
        return AuditEvent(
            self.request_ids.next(),
            request.operation,
            request.received_at,
            self.authorize.backend,
            request.requester,
        )

    def _ask(self, request: Request, event: AuditEvent) -> _Asking:
        """Take every step before the store's."""
        if not self.audit.accepts():
            raise OtherError(
                "The audit trail is full, and no secret leaves unrecorded; make room for it.",
                reason="audit_unavailable",
            )
        plaintext, host_xkey, event.server_key = self.open_request.open(request)
        words = words_of(plaintext)
        known = self._known.find(words)
        if known is None:
            authenticated, place = self._read(plaintext, event), None
            asked, _, caller, token = authenticated
        else:
            authenticated, place = known
            asked, _, caller, token = authenticated
            _note_asked(asked, event)
            self.authenticate.again(caller)
        event.caller = caller
        access = self.authorize.for_request(authenticated, request.requester, place)
        event.location, event.properties = access.asked.location, access.properties
        event.allowed, event.grant = access.decision.allowed, access.decision.grant
        location = access.enforce()
        if place is None and access.place is not None:
            self._known.keep(words, authenticated, access.place)
        deadline = event.received_at + self.timeout_seconds
        query = SecretQuery(location, asked.version, caller, deadline, token)
        field = asked.field if location.field is None else None
        return authenticated, query, field, host_xkey, request.max_reply_bytes, access

    def _read(self, plaintext: bytes, event: AuditEvent) -> AuthenticatedRequest:
        message = SecretRequest.from_json(plaintext)
        _note_asked(message.asked, event)
        if message.is_key_probe:
            raise KeyProbe("This request names no entity; it can be opened, and that is all.")
        return self.authenticate(message)

    async def _wait(self, asking: _Asking, event: AuditEvent, rules: object) -> Reply:
        authenticated, query, field, host_xkey, max_bytes, access = asking
        caller, asked = authenticated.caller, authenticated.asked
        wait = self.host_waits.begin(caller, asked, event.received_at, self.timeout_seconds)
        failed: Exception | None = None
        try:
            query = query._replace(deadline=event.received_at + wait.seconds)
            secret = await self._fetch(query, field)
            access = self._still_allowed(caller, access, event, rules)
            if isinstance(secret, SecretNotFound):
                raise secret  # noqa: TRY301  answered below, as every other failure
            reply = self._give(secret, host_xkey, max_bytes, event)
        except CancelledError:
            self._record(event)
            raise
        except Exception as error:  # noqa: BLE001  as in `begin`
            failed = error
            return self._fail(error, access, event)
        finally:
            self.host_waits.end(wait, self.clock.monotonic(), failed)
        return self._end(reply, access, event)

    async def _fetch(self, query: SecretQuery, field: str | None) -> Secret | SecretNotFound:
        try:
            return await self.fetch(query, field)
        except SecretNotFound as error:
            # A caller whose grant has ended meanwhile must not learn that the secret is missing.
            return error

    def _still_allowed(
        self, caller: Caller, access: Access, event: AuditEvent, rules: object
    ) -> Access:
        """Check again what may have changed while the store was asked: the rules, and the time."""
        self.authenticate.again(caller)
        again = self.authorize.again(access, rules)
        if again is not access:
            event.allowed, event.grant = again.decision.allowed, again.decision.grant
            again.enforce()
        return again

    def _give(
        self, secret: Secret, host_xkey: PublicXKey, max_bytes: int | None, event: AuditEvent
    ) -> Reply:
        event.version_served = secret.version
        event.upstream_request_id = secret.upstream_request_id
        event.served_from, event.note = secret.source, secret.note
        return self.seal.reply(secret, host_xkey, max_bytes)

    def _end(self, reply: Reply, access: Access | None, event: AuditEvent) -> Reply:
        event.outcome = _ANSWERED
        event.reason = "public" if access is None else access.decision.reason
        self._record(event)
        return reply

    def _fail(self, error: Exception, access: Access | None, event: AuditEvent) -> Reply:
        if isinstance(error, KeyProbe):
            event.outcome, event.reason = Outcome.ANSWERED, error.reason
            self._record(event)
            return Reply(write_error(error, event.request_id))
        if isinstance(error, SecretNotFound) and access is not None:
            return self._refuse(access.missing(error), event)
        if isinstance(error, RequestError):
            return self._refuse(error, event)
        self.faults.unexpected(error, event.request_id)
        return self._refuse(_UNEXPECTED, event)

    def _refuse(self, error: RequestError, event: AuditEvent) -> Reply:
        event.outcome, event.reason = Outcome.REFUSED, error.reason
        event.error, event.advice = error.wire_name, error.advice
        event.upstream_request_id = error.upstream_request_id or event.upstream_request_id
        self._record(event)
        return Reply(write_error(error, event.request_id))

    def _record(self, event: AuditEvent) -> None:
        event.time = self.clock.now()
        event.duration = self.clock.monotonic() - event.received_at
        self.audit.record(event)


def _note_asked(asked: AskedSecret, event: AuditEvent) -> None:
    event.key, event.field, event.version_asked = asked.key, asked.field, asked.version


# Looked up once: a member is found by its class through a function of `enum`, for every request.
_GET, _SERVER_XKEY = Operation.GET, Operation.SERVER_XKEY
_ANSWERED = Outcome.ANSWERED

_UNEXPECTED = OtherError(
    "The service failed unexpectedly; look the request up in its log and report it.",
    reason="unexpected",
)
