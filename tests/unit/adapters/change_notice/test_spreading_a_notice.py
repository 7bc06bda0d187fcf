"""From an order or a change in the store to what is forgotten, answered and published."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.change_notice.messages import Cause, Invalidation, ReplicaAnswer
from adapters.change_notice.notices import MAX_IN_FLIGHT
from adapters.crypto.control_messages import ControlCodec
from domain.model.selection import Selection
from ports.transport import ChannelError
from tests.support.settling import settle
from tests.unit.adapters.change_notice.notices_rig import CHANGED, FLUSH, INVALIDATE, Rig
from tests.unit.adapters.nats.nats_in_memory import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAYMENTS = Selection.below("/payments", (("environment", "prod"), ("project_id", "p-1")))
ORDER = Invalidation("id-1", "me", Cause.FLUSH, Selection.one("/a/B"))


@pytest.fixture
async def rig() -> Rig:
    made = Rig()
    await made.notices.start(made.forget)
    return made


async def test_an_order_is_carried_out_answered_and_logged(rig: Rig) -> None:
    with capture_logs() as log:
        await rig.order(ORDER.to_json())

    assert rig.forgotten == [ORDER.selection]
    assert rig.nats.sent_to("_INBOX.x") == [ReplicaAnswer("replica-1", 3).to_json()]
    assert log == [
        {
            "event": "change_notice.applied",
            "log_level": "info",
            "id": "id-1",
            "cause": "flush",
            "origin": "me",
            "values": 3,
        }
    ]


@pytest.mark.parametrize("reply", ["", "$JS.API.STREAM.PURGE.X", INVALIDATE, CHANGED, "x" * 1025])
async def test_an_order_is_carried_out_and_not_answered_where_answers_do_harm(
    rig: Rig, reply: str
) -> None:
    await rig.order(ORDER.to_json(), reply)

    assert len(rig.forgotten) == 1
    assert len(rig.nats.published) == 1


async def test_what_is_no_order_is_neither_carried_out_nor_answered(rig: Rig) -> None:
    with capture_logs() as log:
        await rig.order(b'{"canary":1}')

    assert rig.forgotten == []
    assert len(rig.nats.published) == 1
    assert log == [{"event": "change_notice.message_malformed", "log_level": "warning", "size": 12}]


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: ORDER.to_json(),
        lambda rig: ControlCodec([b"x" * 32], rig.clock).wrap(INVALIDATE, ORDER.to_json()),
        lambda rig: rig.codec.wrap(FLUSH, ORDER.to_json()),
    ],
    ids=["plain", "another key", "another subject"],
)
async def test_an_order_in_a_replicas_name_is_taken_from_replicas_alone(
    rig: Rig, forge: Callable[[Rig], bytes]
) -> None:
    with capture_logs() as log:
        await rig.order_as_replica(forge(rig))

    assert rig.forgotten == []
    assert rig.nats.sent_to("_INBOX.x") == []
    assert [entry["event"] for entry in log] == ["peer_bus.message_refused"]

    await rig.order_as_replica(rig.codec.wrap(INVALIDATE, ORDER.to_json()))
    assert rig.forgotten == [ORDER.selection]


async def test_an_answer_that_cannot_be_sent_leaves_the_order_carried_out(rig: Rig) -> None:
    rig.nats.away = True

    with capture_logs() as log:
        await rig.order(ORDER.to_json())

    assert len(rig.forgotten) == 1
    assert [entry["event"] for entry in log][1:] == ["peer_bus.answer_failed"]


async def test_a_change_is_forgotten_and_sent_at_once_and_published_a_second_later(
    rig: Rig,
) -> None:
    await rig.notices.announce(PAYMENTS)

    assert rig.forgotten == [PAYMENTS] * 2
    await settle()
    assert rig.events == []
    rig.clock.advance(1)
    await settle()
    (event,) = rig.events
    assert (event["folder"], event["replicas"], event["cause"]) == ("/payments", 1, "store")
    assert set(rig.nats.sinks) == {INVALIDATE, FLUSH}


async def test_a_change_that_is_not_awaited_is_spread_all_the_same(rig: Rig) -> None:
    rig.notices.announce(PAYMENTS)
    await settle()
    rig.clock.advance(1)
    await settle()

    assert len(rig.events) == 1


async def test_a_change_that_no_replica_hears_is_published_all_the_same() -> None:
    rig = Rig()
    await rig.notices.start(rig.forget)
    rig.nats.sinks.clear()
    await rig.notices.announce(PAYMENTS)
    inbox = rig.nats.published[0].reply
    await rig.nats.deliver(Message(inbox, b"", headers={"Status": "503"}))
    await settle()

    assert [event["replicas"] for event in rig.events] == [0]


async def test_a_change_while_the_bus_is_away_is_forgotten_here_and_fails(rig: Rig) -> None:
    rig.nats.away = True

    with pytest.raises(ChannelError) as caught:
        await rig.notices.announce(PAYMENTS)

    assert caught.value.reason == "disconnected"
    assert rig.forgotten == [PAYMENTS]
    assert set(rig.nats.sinks) == {INVALIDATE, FLUSH}


async def test_a_change_before_the_service_listens_fails() -> None:
    with pytest.raises(ChannelError, match="starting or stopping"):
        await Rig().notices.announce(PAYMENTS)


async def test_an_event_that_cannot_be_published_is_logged(rig: Rig) -> None:
    await rig.notices.announce(PAYMENTS)
    await settle()
    rig.nats.away = True

    with capture_logs() as log:
        rig.clock.advance(1)
        await settle()

    assert [entry["event"] for entry in log] == ["change_notice.event_unsent"]


async def test_only_so_many_changes_are_in_flight_at_a_time(rig: Rig) -> None:
    changes: list[Awaitable[None]] = [
        rig.notices.announce(PAYMENTS) for _ in range(MAX_IN_FLIGHT + 5)
    ]
    await settle()
    assert len(rig.nats.sent_to(INVALIDATE)) == MAX_IN_FLIGHT

    rig.clock.advance(1)
    await asyncio.gather(*changes)
    rig.clock.advance(1)
    await settle()

    assert len(rig.events) == len(changes)


async def test_failures_give_their_place_back(rig: Rig) -> None:
    rig.nats.away = True
    for _ in range(MAX_IN_FLIGHT + 1):
        with pytest.raises(ChannelError):
            await rig.notices.announce(PAYMENTS)
    rig.nats.away = False

    await rig.notices.announce(PAYMENTS)


async def test_closing_waits_for_events_that_are_due(rig: Rig) -> None:
    await rig.notices.announce(PAYMENTS)
    closing = asyncio.create_task(rig.notices.aclose())
    await settle()
    assert not closing.done()

    rig.clock.advance(1)
    await closing

    assert len(rig.events) == 1


async def test_closing_gives_up_on_a_server_that_does_not_answer(rig: Rig) -> None:
    await rig.notices.announce(PAYMENTS)
    rig.nats.stuck = True
    closing = asyncio.create_task(rig.notices.aclose())
    await settle()
    rig.clock.advance(4)
    await closing

    assert set(rig.nats.sinks) == {INVALIDATE, FLUSH}


@pytest.mark.parametrize("name", ["a b", ""])
def test_a_name_that_cannot_stand_in_a_message_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="replica's name"):
        Rig().make(name)
