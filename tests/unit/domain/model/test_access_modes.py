"""Observing instead of enforcing, and insisting on a known requester."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision
from domain.model.access_modes import AppliedPolicy
from domain.model.transport import Requester
from tests.contracts.secret_store import CALLER

REQUEST = AccessRequest(
    CALLER, location=None, field=None, version=None, properties=None, backend="infisical", now=0
)
GRANTED = Decision(allowed=True, reason="granted", grant="billing")
REFUSED = Decision(allowed=False, reason="key_not_granted", grant="billing")


@dataclass
class FixedPolicy(AccessPolicy):
    decision: Decision
    asked: list[AccessRequest] = field(default_factory=list)

    @override
    def decide(self, request: AccessRequest) -> Decision:
        self.asked.append(request)
        return self.decision

    @property
    @override
    def revision(self) -> object:
        return self.decision


def test_observing_leaves_a_permission_as_it_is() -> None:
    assert AppliedPolicy(FixedPolicy(GRANTED), only_observes=True).decide(REQUEST) == GRANTED


def test_observing_lets_a_refusal_through_and_says_what_it_would_have_been() -> None:
    assert AppliedPolicy(FixedPolicy(REFUSED), only_observes=True).decide(REQUEST) == Decision(
        allowed=True, reason="observed_key_not_granted", grant="billing"
    )


def test_a_request_nobody_vouches_for_is_refused_without_asking_further() -> None:
    inner = FixedPolicy(GRANTED)

    assert AppliedPolicy(inner, requires_requester=True).decide(REQUEST) == Decision(
        allowed=False, reason="requester_unknown"
    )
    assert inner.asked == []


@pytest.mark.parametrize("decision", [GRANTED, REFUSED])
def test_a_request_somebody_vouches_for_is_decided_by_the_rules(decision: Decision) -> None:
    request = REQUEST._replace(requester=Requester("HOSTS"))

    assert AppliedPolicy(FixedPolicy(decision), requires_requester=True).decide(request) == decision
