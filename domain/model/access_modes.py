"""Ways to apply a policy: watching without enforcing, and insisting on knowing who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.access import AccessPolicy, Decision

if TYPE_CHECKING:
    from domain.model.access import AccessRequest


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class RequesterRequired(AccessPolicy):
    """Refuses whomever the transport does not vouch for, before `inner` is asked."""

    inner: AccessPolicy

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        if request.requester is None:
            return Decision(allowed=False, reason="requester_unknown")
        return self.inner.decide(request)

    @property
    def revision(self) -> object:
        """The inner rules'."""
        return self.inner.revision
