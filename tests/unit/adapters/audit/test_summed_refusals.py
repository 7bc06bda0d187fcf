"""A flood of refusals: a few events and a count, never at the cost of a served secret."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.audit.sink import AuditSinkError, ServedApart
from adapters.audit.summed_refusals import MAX_KINDS, SECONDS, SummedRefusals
from domain.model.audit import Outcome
from domain.model.transport import Requester
from tests.contracts.audit import (
    ANSWERED,
    REFUSED,
    AuditContract,
    AuditInMemoryContract,
    ids,
    numbered,
)
from tests.fakes.audit_sink import FakeAuditSink
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent

LIMIT = 5


class Rig:
    def __init__(self, per_second: int = LIMIT) -> None:
        self.clock, self.sink = FakeClock(), FakeAuditSink()
        self.trail = SummedRefusals(self.sink, per_second, self.clock)

    async def second(self) -> None:
        """Let the present second end."""
        await settle()
        self.clock.advance(SECONDS)
        await settle()

    @property
    def summaries(self) -> list[AuditEvent]:
        return [event for event in self.sink.events if event.count > 1]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_flood_of_refusals_is_told_by_its_first_ones_and_a_count(rig: Rig) -> None:
    await rig.trail.start()
    for event in numbered(1000, like=REFUSED):
        rig.trail.record(event)
    assert len(rig.sink.events) == LIMIT
    await rig.second()

    (summary,) = rig.summaries
    assert ids(rig.sink.events[:LIMIT]) == ids(numbered(LIMIT))
    assert summary.count == 1000 - LIMIT
    assert (summary.reason, summary.error, summary.outcome, summary.operation) == (
        REFUSED.reason,
        REFUSED.error,
        Outcome.REFUSED,
        "get",
    )
    assert summary.request_id == "request-000999"
    await rig.second()
    assert len(rig.sink.events) == LIMIT + 1


async def test_each_second_has_events_of_its_own(rig: Rig) -> None:
    await rig.trail.start()
    for _ in range(3):
        for event in numbered(LIMIT + 2, like=REFUSED):
            rig.trail.record(event)
        await rig.second()

    assert len(rig.sink.events) == 3 * (LIMIT + 1)
    assert [event.count for event in rig.summaries] == [2, 2, 2]


async def test_no_event_of_a_served_secret_is_summed_up(rig: Rig) -> None:
    await rig.trail.start()
    events = numbered(10 * LIMIT, like=ANSWERED)
    for event, refusal in zip(events, numbered(10 * LIMIT, like=REFUSED), strict=True):
        rig.trail.record(refusal)
        rig.trail.record(event)
    await rig.second()

    assert ids([event for event in rig.sink.events if event.has_left]) == ids(events)


async def test_answers_that_anybody_can_have_are_summed_up_too(rig: Rig) -> None:
    asked = replace(ANSWERED, operation="server_xkey", caller=None, reason="server_xkey")
    await rig.trail.start()
    for event in numbered(100, like=asked):
        rig.trail.record(event)
    await rig.second()

    assert [event.count for event in rig.summaries] == [100 - LIMIT]


@pytest.mark.parametrize(
    "other",
    [
        replace(REFUSED, reason="other_reason"),
        replace(REFUSED, error="Other"),
        replace(REFUSED, outcome=Outcome.CANCELLED),
        replace(REFUSED, operation="server_xkey"),
        replace(REFUSED, requester=Requester("ANOTHER", "user")),
    ],
)
async def test_a_flood_of_one_kind_hides_no_refusal_of_another(rig: Rig, other: AuditEvent) -> None:
    await rig.trail.start()
    for event in numbered(1000, like=REFUSED):
        rig.trail.record(event)
    rig.trail.record(replace(other, request_id="rare"))

    assert "rare" in ids(rig.sink.events)


async def test_a_summary_says_nothing_that_only_its_last_request_had(rig: Rig) -> None:
    like = replace(ANSWERED, outcome=Outcome.REFUSED, error="Unauthorized", reason="no_grant")
    await rig.trail.start()
    for event in numbered(LIMIT + 2, like=like):
        rig.trail.record(event)
    await rig.second()

    (summary,) = rig.summaries
    assert (summary.key, summary.caller, summary.properties, summary.grant) == (None,) * 4
    assert summary.requester == Requester("AACC", None)


async def test_made_up_operations_and_accounts_cannot_make_it_tell_ever_more_apart(
    rig: Rig,
) -> None:
    await rig.trail.start()
    for number in range(20 * MAX_KINDS):
        asked = replace(REFUSED, requester=Requester(f"A{number}", None), operation=f"o{number}")
        for event in numbered(1, number, like=asked):
            rig.trail.record(event)

    assert len(rig.sink.events) == MAX_KINDS + LIMIT
    await rig.second()
    (summary,) = rig.summaries
    assert summary.count == 19 * MAX_KINDS - LIMIT
    assert (summary.operation, summary.requester) == ("other", None)


async def test_what_is_held_back_at_the_end_is_told_before_it_closes(rig: Rig) -> None:
    await rig.trail.start()
    for event in numbered(LIMIT + 3, like=REFUSED):
        rig.trail.record(event)
    await rig.trail.aclose()

    assert [event.count for event in rig.summaries] == [3]
    assert rig.sink.calls[-1] == "audit closed"


async def test_refusals_that_cannot_be_kept_have_no_request_refused() -> None:
    served, others = FakeAuditSink(), FakeAuditSink()
    trail = ServedApart(served, others)
    others.full = True
    assert trail.accepts()

    served.full = True
    assert not trail.accepts()


async def test_served_secrets_and_all_else_go_to_different_sinks() -> None:
    served, others = FakeAuditSink(), FakeAuditSink()
    trail = ServedApart(served, others)
    asked = replace(ANSWERED, caller=None, request_id="asked-for-xkey")
    for event in (ANSWERED, REFUSED, asked):
        trail.record(event)

    assert ids(served.events) == [ANSWERED.request_id]
    assert ids(others.events) == [REFUSED.request_id, "asked-for-xkey"]


async def test_a_sink_that_does_not_start_closes_the_other() -> None:
    served, others = FakeAuditSink(), FakeAuditSink()
    others.failure = AuditSinkError("no")

    with pytest.raises(AuditSinkError):
        await ServedApart(served, others).start()

    assert served.calls == ["audit started", "audit closed"]


class TestSummedRefusals(AuditInMemoryContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        rig = Rig()
        self.trail, self.inner = rig.trail, rig.sink


class TestServedApart(AuditContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self._sinks = FakeAuditSink(), FakeAuditSink()
        self.trail = ServedApart(*self._sinks)

    @override
    async def kept(self) -> list[str]:
        served, others = self._sinks
        return ids(served.events) + ids(others.events)
