"""How strictly rules are applied: watched without enforcing, or insisting on knowing who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.access import NO_WORKLOADS, AccessPolicy, Decision
from domain.model.opaque import opaque
from domain.model.workload import Workload

if TYPE_CHECKING:
    from domain.model.access import AccessRequest

_REQUESTER_UNKNOWN = Decision(allowed=False, reason="requester_unknown")


@opaque
class AppliedPolicy(AccessPolicy):
    """Decides as `inner` does, but for what these say.

    Attributes:
        admits_workloads: otherwise each is refused, also where all else is only observed.
        requires_requester: callers are refused that the transport does not vouch for, before
            `inner` is asked. None stands between a workload and this process, so it needs none.
        only_observes: everything else is let through, to learn what rules would refuse. A refusal
            becomes a permission whose reason is the refusal's with "observed_" before it.
    """

    inner: AccessPolicy
    admits_workloads: bool = True
    requires_requester: bool = False
    only_observes: bool = False

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        # `signed` would be a call more, for every request.
        is_workload = isinstance(request.caller, Workload)
        if is_workload and not self.admits_workloads:
            return NO_WORKLOADS
        if self.requires_requester and request.requester is None and not is_workload:
            decision = _REQUESTER_UNKNOWN
        else:
            decision = self.inner.decide(request)
        if decision.allowed or not self.only_observes:
            return decision
        return Decision(allowed=True, reason=f"observed_{decision.reason}", grant=decision.grant)

    @property
    def revision(self) -> object:
        """The inner rules'."""
        return self.inner.revision
