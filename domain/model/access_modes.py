"""Ways to apply a policy: watching without enforcing, and insisting on knowing who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.access import NO_WORKLOADS, AccessPolicy, Decision
from domain.model.opaque import opaque
from domain.model.workload import Workload

if TYPE_CHECKING:
    from domain.model.access import AccessRequest


@opaque
class ObservedPolicy(AccessPolicy):
    """Decides as `inner` does and lets everything through, to learn what rules would refuse.

    A refusal becomes a permission whose reason is the refusal's with "observed_" before it.
    """

    inner: AccessPolicy

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises and never refuses."""
        decision = self.inner.decide(request)
        if decision.allowed:
            return decision
        return Decision(allowed=True, reason=f"observed_{decision.reason}", grant=decision.grant)

    @property
    def revision(self) -> object:
        """The inner rules'."""
        return self.inner.revision


@opaque
class RequesterRequired(AccessPolicy):
    """Refuses whomever the transport does not vouch for, before `inner` is asked.

    No transport of requests stands between a workload and this process, so that it needs none.
    """

    inner: AccessPolicy

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        if request.requester is None and request.signed is not None:
            return Decision(allowed=False, reason="requester_unknown")
        return self.inner.decide(request)

    @property
    def revision(self) -> object:
        """The inner rules'."""
        return self.inner.revision


@opaque
class SignedCallersOnly(AccessPolicy):
    """Refuses every workload, also where `inner` only observes."""

    inner: AccessPolicy

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        # `signed` would be a call more, for every request.
        is_workload = isinstance(request.caller, Workload)
        return NO_WORKLOADS if is_workload else self.inner.decide(request)

    @property
    def revision(self) -> object:
        """The inner rules'."""
        return self.inner.revision
