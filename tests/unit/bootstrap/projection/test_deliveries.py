"""The audit trail of an agent that reads again and again."""

from __future__ import annotations

from dataclasses import replace

from bootstrap.projection.deliveries import DeliveryTrail
from domain.model.audit import AuditEvent, Outcome
from tests.fakes.audit import FakeAuditTrail
from tests.support.workloads import CART

READ = AuditEvent(
    "r-1",
    "workload.read",
    0.0,
    caller=CART,
    key="db",
    outcome=Outcome.ANSWERED,
    reason="granted",
    version_served="1",
)


def test_a_read_that_ends_as_before_is_not_recorded_again() -> None:
    kept = FakeAuditTrail()
    trail = DeliveryTrail(kept)
    other_key = replace(READ, key="token")
    rotated = replace(READ, version_served="2")
    refused = replace(READ, outcome=Outcome.REFUSED, reason="key_not_granted")
    for event in (READ, READ, other_key, READ, rotated, rotated, refused, refused, READ):
        trail.record(event)

    assert kept.events == [READ, other_key, rotated, refused, READ]


def test_after_forgetting_everything_is_recorded_once_more() -> None:
    kept = FakeAuditTrail()
    trail = DeliveryTrail(kept)
    trail.record(READ)
    trail.forget()
    trail.record(READ)

    assert kept.events == [READ, READ]


def test_it_takes_events_while_the_trail_behind_it_does() -> None:
    kept = FakeAuditTrail()
    trail = DeliveryTrail(kept)
    assert trail.accepts()
    kept.full = True
    assert not trail.accepts()
