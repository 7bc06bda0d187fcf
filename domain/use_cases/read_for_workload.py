"""Reads one secret for a workload of wasmCloud 2: decide, fetch, decide again, record."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from domain.model.audit import AuditEvent, Outcome
from domain.model.errors import (
    InvalidRequest,
    OtherError,
    RequestError,
    SecretNotFound,
    UpstreamError,
)
from domain.model.opaque import opaque
from domain.model.reference import SecretQuery
from domain.model.secret import Secret
from domain.model.transport import WORKLOAD_READ

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.model.secret_uri import SecretUri
    from domain.model.workload import Workload
    from domain.use_cases.authorize_access import Access, AuthorizeAccess
    from domain.use_cases.fetch_secret import FetchSecret
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.fault_log import FaultLog
    from ports.request_ids import RequestIds

    ReadsForWorkloads = Callable[[Workload, SecretUri, float], Awaitable["WorkloadRead"]]
    """`ReadForWorkload`, or what is put around it."""

ReadOutcome: TypeAlias = Secret | RequestError


class WorkloadRead(NamedTuple):
    """How one read ended.

    Attributes:
        request_id: that of its audit record and of its log entries.
        outcome: the secret, or the typed refusal; its `advice` may be shown to the workload's
            operator.
    """

    request_id: str
    outcome: ReadOutcome


@opaque
class ReadForWorkload:
    """Reads secrets for callers that no token names, by the rules that name workloads.
    `needs_token`: whether the store answers only with an entity's token at hand.
    """

    authorize: AuthorizeAccess
    fetch: FetchSecret
    clock: Clock
    audit: AuditTrail
    faults: FaultLog
    request_ids: RequestIds
    needs_token: bool = False

    async def __call__(
        self, workload: Workload, wanted: SecretUri, deadline: float
    ) -> WorkloadRead:
        """Read one secret and record one event, however it ends. `deadline`: monotonic seconds
        (`ports.clock.Clock.monotonic`) by which the read ends.

        Raises nothing but a cancellation from outside.
        """
        event = AuditEvent(
            self.request_ids.next(),
            WORKLOAD_READ,
            self.clock.monotonic(),
            self.authorize.backend,
            caller=workload,
        )
        asked = wanted.asked
        event.key, event.field, event.version_asked = asked.key, asked.field, asked.version
        event.properties = wanted.properties
        try:
            outcome = await self._read(workload, wanted, deadline, event)
        except CancelledError:
            self._record(event)
            raise
        except RequestError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001  the one boundary: a caller must get an answer
            self.faults.unexpected(error, event.request_id)
            outcome = _unexpected()
        if isinstance(outcome, Secret):
            event.outcome = Outcome.ANSWERED
            event.version_served, event.served_from = outcome.version, outcome.source
            event.note = outcome.note
        else:
            event.outcome, event.reason = Outcome.REFUSED, outcome.reason
            event.error, event.advice = outcome.wire_name, outcome.advice
        event.upstream_request_id = outcome.upstream_request_id
        self._record(event)
        return WorkloadRead(event.request_id, outcome)

    async def _read(
        self, workload: Workload, wanted: SecretUri, deadline: float, event: AuditEvent
    ) -> ReadOutcome:
        self._check_before(wanted)
        access, rules = self.authorize.for_workload(workload, wanted), self.authorize.revision
        _note(access, event)
        location = access.enforce()
        query = SecretQuery(location, wanted.asked.version, workload, deadline)
        field = wanted.asked.field if location.field is None else None
        outcome: Secret | SecretNotFound
        try:
            cached = self.fetch.cached(query, field)
            outcome = await self.fetch(query, field) if cached is None else cached
        except SecretNotFound as error:
            # A workload whose grant has ended meanwhile must not learn that the secret is missing.
            outcome = error
        again = self.authorize.again(access, rules)
        if again is not access:
            _note(again, event)
            again.enforce()
        if isinstance(outcome, SecretNotFound):
            return again.missing(outcome)
        event.reason = again.decision.reason
        return outcome

    def _check_before(self, wanted: SecretUri) -> None:
        if not self.audit.accepts():
            raise OtherError(
                "The audit trail is full, and no secret leaves unrecorded; make room for it.",
                reason="audit_unavailable",
            )
        if wanted.backend not in {None, self.authorize.backend}:
            raise InvalidRequest(
                f'The reference names another backend; this one is "{self.authorize.backend}".',
                reason="backend_differs",
            )
        if self.needs_token:
            raise UpstreamError(
                "The store needs the signed token of a component, and a workload of wasmCloud 2 "
                "has none; choose a store that the service asks in its own name.",
                reason="store_needs_token",
            )

    def _record(self, event: AuditEvent) -> None:
        event.time = self.clock.now()
        event.duration = self.clock.monotonic() - event.received_at
        self.audit.record(event)


def _note(access: Access, event: AuditEvent) -> None:
    event.location = access.location
    event.allowed, event.grant = access.decision.allowed, access.decision.grant


def _unexpected() -> OtherError:
    return OtherError(
        "The service failed unexpectedly; look the request up in its log and report it.",
        reason="unexpected",
    )
