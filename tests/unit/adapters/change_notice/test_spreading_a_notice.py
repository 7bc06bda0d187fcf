"""One replica's part: taking orders, answering, sending its own, and closing, as time passes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.change_notice.announcer import MAX_UNDER_WAY, ChangeAnnouncer
from adapters.change_notice.broadcast import InvalidationBroadcast
from adapters.change_notice.invalidator import CacheInvalidator
from adapters.change_notice.listener import InvalidationListener
from adapters.change_notice.messages import Cause, Invalidation, ReplicaAnswer
from adapters.change_notice.subjects import ControlSubjects
from adapters.change_notice.webhook_payload import ChangeNotice
from adapters.crypto.control_messages import ControlCodec
from domain.model.selection import Selection
from ports.transport import ChannelError
from tests.fakes.clock import FakeClock
from tests.fakes.request_ids import FakeRequestIds
from tests.unit.adapters.change_notice.nats_in_memory import Message, NatsInMemory

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS = ControlSubjects()
KEY = b"k" * 32
NOTICE = ChangeNotice("prod", "p-1", "/payments")
ORDER = Invalidation("id-1", "me", Cause.FLUSH, Selection.one("/a/B"))


class Forgetful(CacheInvalidator):
    """Keeps count of what it was told to forget."""

    def __init__(self) -> None:
        self.selections: list[Selection] = []

    @override
    def invalidate(self, selection: Selection) -> int:
        self.selections.append(selection)
        return 3


class Rig:
    def __init__(self) -> None:
        self.clock, self.nats, self.cache = FakeClock(), NatsInMemory(), Forgetful()
        self.codec = ControlCodec([KEY], self.clock)
        client = self.nats.client
        self.listener = InvalidationListener(
            client, SUBJECTS, self.cache, self.clock, self.codec, replica="replica-1"
        )
        self.announcer = ChangeAnnouncer(
            InvalidationBroadcast(client, SUBJECTS, self.clock, self.codec),
            self.cache,
            FakeRequestIds(),
            self.clock,
            replica="replica-1",
        )

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(data) for data in self.nats.sent_to(SUBJECTS.changed)]

    async def order(self, data: bytes, reply: str = "_INBOX.x") -> None:
        """Have a person order it, by hand."""
        await self.nats.deliver(Message(SUBJECTS.flush, data, reply))

    async def order_as_replica(self, data: bytes, reply: str = "_INBOX.x") -> None:
        await self.nats.deliver(Message(SUBJECTS.invalidate, data, reply))


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_order_is_carried_out_answered_and_logged(rig: Rig) -> None:
    await rig.listener.start()

    with capture_logs() as log:
        await rig.order(ORDER.to_json())

    assert rig.cache.selections == [ORDER.selection]
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


@pytest.mark.parametrize(
    "reply", ["", "$JS.API.STREAM.PURGE.X", SUBJECTS.invalidate, SUBJECTS.changed, "x" * 1025]
)
async def test_an_order_is_carried_out_and_not_answered_where_answers_do_harm(
    rig: Rig, reply: str
) -> None:
    await rig.listener.start()
    await rig.order(ORDER.to_json(), reply)

    assert len(rig.cache.selections) == 1
    assert len(rig.nats.published) == 1


async def test_what_is_no_order_is_neither_carried_out_nor_answered(rig: Rig) -> None:
    await rig.listener.start()

    with capture_logs() as log:
        await rig.order(b'{"canary":1}')

    assert rig.cache.selections == []
    assert len(rig.nats.published) == 1
    assert log == [{"event": "change_notice.message_malformed", "log_level": "warning", "size": 12}]


async def test_an_answer_that_cannot_be_sent_leaves_the_order_carried_out(rig: Rig) -> None:
    await rig.listener.start()
    rig.nats.away = True

    with capture_logs() as log:
        await rig.order(ORDER.to_json())

    assert len(rig.cache.selections) == 1
    assert [entry["event"] for entry in log][1:] == ["change_notice.answer_failed"]


async def test_a_start_that_nats_does_not_confirm_is_only_logged(rig: Rig) -> None:
    rig.nats.stuck = True
    starting = asyncio.create_task(rig.listener.start())
    await settle()

    with capture_logs() as log:
        rig.clock.advance(2)
        await starting

    assert [entry["event"] for entry in log] == ["change_notice.listening_unconfirmed"]
    await rig.order(ORDER.to_json())
    assert len(rig.cache.selections) == 1


@pytest.mark.parametrize("away", [False, True])
async def test_after_closing_no_order_is_taken(rig: Rig, away: bool) -> None:
    await rig.listener.start()
    rig.nats.away = away
    await rig.listener.aclose()
    await rig.listener.aclose()
    await rig.order(ORDER.to_json())

    assert rig.cache.selections == []


async def test_a_notice_is_carried_out_and_sent_at_once_and_published_a_second_later(
    rig: Rig,
) -> None:
    await rig.listener.start()

    await rig.announcer.announce(NOTICE)

    assert rig.cache.selections == [NOTICE.selection] * 2
    await settle()
    assert rig.events == []
    rig.clock.advance(1)
    await settle()
    (event,) = rig.events
    assert (event["folder"], event["replicas"]) == ("/payments", 1)
    assert set(rig.nats.sinks) == {SUBJECTS.invalidate, SUBJECTS.flush}


async def test_a_notice_that_no_replica_hears_is_published_all_the_same(rig: Rig) -> None:
    await rig.announcer.announce(NOTICE)
    inbox = rig.nats.published[0].reply
    await rig.nats.deliver(Message(inbox, b"", headers={"Status": "503"}))
    await settle()

    assert [event["replicas"] for event in rig.events] == [0]


async def test_a_notice_while_nats_is_away_is_carried_out_here_and_fails(rig: Rig) -> None:
    rig.nats.away = True

    with pytest.raises(ChannelError) as caught:
        await rig.announcer.announce(NOTICE)

    assert caught.value.reason == "disconnected"
    assert caught.value.__context__ is None
    assert rig.cache.selections == [NOTICE.selection]
    assert rig.nats.sinks == {}


async def test_an_event_that_cannot_be_published_is_logged(rig: Rig) -> None:
    await rig.announcer.announce(NOTICE)
    await settle()
    rig.nats.away = True

    with capture_logs() as log:
        rig.clock.advance(1)
        await settle()

    assert [entry["event"] for entry in log] == ["change_notice.event_unsent"]


async def test_an_answer_that_is_none_is_logged_and_not_counted(rig: Rig) -> None:
    answers = await InvalidationBroadcast(rig.nats.client, SUBJECTS, rig.clock).send(ORDER)

    with capture_logs() as log:
        await rig.nats.deliver(Message(answers.inbox, b"canary"))

    assert [entry["event"] for entry in log] == ["change_notice.answer_malformed"]
    assert "canary" not in str(log)
    await answers.close()


async def test_only_so_many_notices_are_under_way_at_a_time(rig: Rig) -> None:
    notices = [
        asyncio.create_task(rig.announcer.announce(NOTICE)) for _ in range(MAX_UNDER_WAY + 5)
    ]
    await settle()
    assert sum(notice.done() for notice in notices) == MAX_UNDER_WAY

    rig.clock.advance(1)
    await asyncio.gather(*notices)
    rig.clock.advance(1)
    await settle()

    assert len(rig.events) == len(notices)


async def test_failures_give_their_place_back(rig: Rig) -> None:
    rig.nats.away = True
    for _ in range(MAX_UNDER_WAY + 1):
        with pytest.raises(ChannelError):
            await rig.announcer.announce(NOTICE)
    rig.nats.away = False

    await rig.announcer.announce(NOTICE)


async def test_closing_waits_for_events_that_are_due(rig: Rig) -> None:
    await rig.announcer.announce(NOTICE)
    closing = asyncio.create_task(rig.announcer.aclose())
    await settle()
    assert not closing.done()

    rig.clock.advance(1)
    await closing

    assert len(rig.events) == 1


async def test_closing_gives_up_on_a_server_that_does_not_answer(rig: Rig) -> None:
    await rig.announcer.announce(NOTICE)
    rig.nats.stuck = True
    closing = asyncio.create_task(rig.announcer.aclose())
    await settle()
    rig.clock.advance(4)
    await closing

    assert rig.nats.sinks == {}


async def test_answers_are_bounded_and_a_replica_counts_once(rig: Rig) -> None:
    answers = await InvalidationBroadcast(rig.nats.client, SUBJECTS, rig.clock).send(ORDER)
    for number in (*range(1100), 0):
        answer = ReplicaAnswer(f"replica-{number:04}", 1)
        await rig.nats.deliver(Message(answers.inbox, answer.to_json()))
    gathering = asyncio.create_task(answers.gather(0.5))
    await settle()
    rig.clock.advance(0.5)

    gathered = await gathering

    assert [answer.replica for answer in gathered] == [f"replica-{n:04}" for n in range(1024)]
    assert not answers.nobody_listens


@pytest.mark.parametrize(
    "make",
    [
        lambda rig: InvalidationListener(
            rig.nats.client, SUBJECTS, rig.cache, rig.clock, rig.codec, replica="a b"
        ),
        lambda rig: ChangeAnnouncer(
            InvalidationBroadcast(rig.nats.client, SUBJECTS, rig.clock),
            rig.cache,
            FakeRequestIds(),
            rig.clock,
            replica="",
        ),
    ],
)
def test_a_name_that_cannot_stand_in_a_message_is_refused(
    rig: Rig, make: Callable[[Rig], object]
) -> None:
    with pytest.raises(ValueError, match="replica's name"):
        make(rig)


@pytest.mark.parametrize(
    "forge",
    [
        lambda rig: ORDER.to_json(),
        lambda rig: ControlCodec([b"x" * 32], rig.clock).wrap(SUBJECTS.invalidate, ORDER.to_json()),
        lambda rig: rig.codec.wrap(SUBJECTS.flush, ORDER.to_json()),
    ],
    ids=["plain", "another key", "another subject"],
)
async def test_an_order_in_a_replicas_name_is_taken_from_replicas_alone(
    rig: Rig, forge: Callable[[Rig], bytes]
) -> None:
    await rig.listener.start()

    with capture_logs() as log:
        await rig.order_as_replica(forge(rig))

    assert rig.cache.selections == []
    assert rig.nats.sent_to("_INBOX.x") == []
    assert [entry["event"] for entry in log] == ["change_notice.message_refused"]

    await rig.order_as_replica(rig.codec.wrap(SUBJECTS.invalidate, ORDER.to_json()))
    assert rig.cache.selections == [ORDER.selection]
