"""Floods against one replica: what is answered, queued, refused and dropped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from typing_extensions import override

from adapters.nats.answering import PLACE_BYTES, Answering
from adapters.nats.backlog import OVERHEAD_BYTES, Backlog, Waiting
from adapters.nats.headers import MAX_BLOCK_BYTES, read_host_xkey, read_requester
from adapters.nats.intake import READ_SECONDS, TURN_SECONDS, Intake
from adapters.nats.peers import peer_of
from adapters.nats.shares import Shares
from bootstrap.store_pipeline import places_to_wait
from domain.model.transport import Reply, Request
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.nats.client import ResilientClient

MAX_BODY = 1000
PATIENCE = 8.0


@dataclass
class FakeConnection:
    """Keeps what is posted."""

    reads: int = 0
    max_payload: int = 1024 * 1024
    posted: list[tuple[bytes, bytes]] = field(default_factory=list)

    def publish_raw(self, subject: bytes, body: bytes, header_block: bytes = b"") -> None:
        del header_block
        self.posted.append((subject, body))


class Slow(FakeHandler):
    """Each answer takes some of the fake clock's time."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        self._clock.advance(self._seconds)
        return super().begin(request)


class Stage:
    """An intake on fakes."""

    def __init__(self, seconds: float = 0.001, room: int = 10_000_000, places: int = 100) -> None:
        self.clock, self.connection = FakeClock(), FakeConnection()
        client = cast("ResilientClient", self.connection)
        self.answering = Answering(client, places)
        self.handler = self.answering.handler = Slow(self.clock, seconds)
        self.intake = Intake(
            client,
            self.answering,
            self.clock,
            max_body_bytes=MAX_BODY,
            patience_seconds=PATIENCE,
            max_backlog_bytes=room,
        )

    def send(self, peer: str, count: int = 1, *, operation: str = "get", size: int = 10) -> None:
        for number in range(count):
            request = Request(operation, b"x" * size, None, self.clock.monotonic())
            self.intake.take(request, f"_INBOX.{peer}.{number}".encode(), None)

    def answers(self, peer: str) -> list[bytes]:
        start = f"_INBOX.{peer}.".encode()
        return [body for subject, body in self.connection.posted if subject.startswith(start)]

    def refused(self, peer: str) -> int:
        return self.answers(peer).count(b"refused as overloaded")

    async def work_off(self) -> None:
        await asyncio.gather(*self.intake.workers)


async def test_a_usual_load_is_answered_where_it_is_read() -> None:
    stage = Stage(seconds=READ_SECONDS / 10)
    for _ in range(5):
        stage.connection.reads += 1
        stage.send("host", 10)

    assert len(stage.answers("host")) == 50
    assert stage.intake.workers == ()


async def test_reading_goes_on_though_the_answers_to_one_read_take_too_long() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 100)

    assert len(stage.answers("host")) == 1
    await stage.work_off()
    assert stage.answers("host").count(b"echo xxxxxxxxxx") == 100


async def test_answers_from_the_backlog_leave_the_loop_to_the_reader_in_between() -> None:
    stage = Stage(seconds=TURN_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 10)
    stage.connection.reads += 1
    before = len(stage.answers("host"))

    await asyncio.sleep(0)
    after = len(stage.answers("host"))

    assert after - before == 1
    await stage.work_off()


async def test_a_host_behind_a_flood_is_answered_next() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("flood", 500)
    stage.send("honest")

    for _ in range(8):
        await asyncio.sleep(0)

    assert stage.answers("honest") == [b"echo xxxxxxxxxx"]
    assert len(stage.answers("flood")) < 10
    await stage.work_off()


async def test_a_flood_beyond_its_share_is_refused_and_leaves_room_for_others() -> None:
    stage = Stage(seconds=READ_SECONDS, room=40 * (OVERHEAD_BYTES + 10))
    stage.connection.reads += 1
    stage.send("flood", 1 + 20 + 50)
    stage.send("honest", 5)

    assert stage.refused("flood") == 50
    assert stage.refused("honest") == 0
    await stage.work_off()
    assert stage.answers("honest") == [b"echo xxxxxxxxxx"] * 5


async def test_what_comes_too_fast_to_be_refused_is_dropped_and_counted() -> None:
    stage = Stage(seconds=READ_SECONDS, room=OVERHEAD_BYTES * 4)
    stage.connection.reads += 1
    stage.send("flood", 1002)

    assert stage.refused("flood") == 50
    assert stage.intake.dropped == 1002 - 50 - 3
    await stage.work_off()


async def test_a_request_that_was_queued_for_too_long_is_refused_unopened() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 2)
    stage.clock.advance(PATIENCE + 0.1)
    await stage.work_off()

    assert stage.answers("host") == [b"echo xxxxxxxxxx", b"refused as overloaded"]
    assert stage.handler.arrived.qsize() == 1


async def test_a_body_too_long_to_be_opened_is_never_queued() -> None:
    stage = Stage(seconds=READ_SECONDS, room=OVERHEAD_BYTES * 4)
    stage.connection.reads += 1
    stage.send("flood", 20, size=MAX_BODY + 1)

    assert len(stage.answers("flood")) == 20
    assert stage.intake.workers == ()


async def test_what_is_queued_at_the_end_is_refused_as_stopping() -> None:
    stage = Stage(seconds=READ_SECONDS)
    stage.connection.reads += 1
    stage.send("host", 3)

    await stage.intake.refuse_all("stopping")

    assert stage.answers("host")[1:] == [b"refused as stopping"] * 2
    await stage.work_off()


async def test_a_waiting_request_keeps_no_body() -> None:
    stage = Stage()
    stage.send("host", operation="slow", size=900)
    (task,) = stage.answering.running
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    (refused, reason) = stage.handler.refused[-1]
    assert (refused.body, reason) == (b"", "stopping")


async def test_places_are_counted_in_bytes_and_no_peer_takes_them_all() -> None:
    stage = Stage(seconds=0, places=24)
    stage.send("flood", 20, operation="slow", size=2 * PLACE_BYTES)  # three places each

    assert len(stage.answering.running) == 7
    assert stage.refused("flood") == 13

    stage.send("honest", operation="slow")
    stage.send("honest", operation="server_xkey")
    assert len(stage.answering.running) == 8
    assert stage.refused("honest") == 0

    stage.handler.gate.set()
    await asyncio.gather(*stage.answering.running)
    stage.send("flood")
    assert stage.answers("flood")[-1] == b"echo xxxxxxxxxx"


@pytest.mark.parametrize("places", [8, 40, 8192])
async def test_a_lone_peer_is_answered_while_as_many_of_its_requests_wait_as_may(
    places: int,
) -> None:
    stage = Stage(seconds=0, places=places)
    stage.send("lone", places_to_wait(places), operation="slow")

    stage.send("lone")

    assert stage.answers("lone") == [b"echo xxxxxxxxxx"]
    stage.handler.gate.set()
    await asyncio.gather(*stage.answering.running)


@pytest.mark.parametrize(
    ("reply_to", "headers", "peer"),
    [
        (b"_INBOX.host.1", None, b" _INBOX.host"),
        (b"_INBOX.host.1.2.3", None, b" _INBOX.host"),
        (b"_INBOX", None, b" _INBOX."),
        (
            b"_R_.abc.def",
            b'NATS/1.0\r\nNats-Request-Info: {"acc":"A","kind":"C"}\r\n\r\n',
            b"A _R_.abc",
        ),
        (b"_R_.abc.def", b'NATS/1.0\r\nnats-request-info: {"acc":"A"}\r\n\r\n', b" _R_.abc"),
        (b"_R_.a.b", b'NATS/1.0\r\nX: {"acc":"A"}\r\n\r\n', b" _R_.a"),
        (b"_R_.a.b", b"NATS/1.0\r\nNats-Request-Info: {}\r\n\r\n", b" _R_.a"),
    ],
)
def test_a_peer_is_told_by_its_account_and_inbox(
    reply_to: bytes, headers: bytes | None, peer: bytes
) -> None:
    assert peer_of(reply_to, headers) == peer


def test_the_backlog_takes_turns_and_forgets_peers_that_have_nothing_left() -> None:
    backlog = Backlog(1_000_000)
    for subject in (b"_INBOX.a.1", b"_INBOX.a.2", b"_INBOX.a.3", b"_INBOX.b.1"):
        assert backlog.put(Waiting(Request("get", b"", None, 0.0), subject, None))

    assert len(backlog) == 4
    order = [backlog.take().reply_to for _ in range(4)]
    assert order == [b"_INBOX.a.1", b"_INBOX.b.1", b"_INBOX.a.2", b"_INBOX.a.3"]
    assert not backlog
    with pytest.raises(IndexError):
        backlog.take()


def test_one_peer_holds_no_more_than_it_leaves() -> None:
    shares = Shares(100, open_part=0.0)
    shares.take(b"a", 50)
    shares.take(b"b", 25)

    assert not shares.has_room(b"a", 1)
    assert not shares.has_room(b"b", 1)
    assert shares.has_room(b"c", 25)
    assert not shares.has_room(b"c", 26)
    shares.give_back(b"b", 25)
    shares.give_back(b"a", 50)
    assert shares.has_room(b"a", 50)


def test_a_long_header_block_is_not_searched() -> None:
    lines = b"WasmCloud-Host-Xkey: x\r\n" * (MAX_BLOCK_BYTES // 24 + 1)
    info = b'Nats-Request-Info: {"acc":"A"}\r\n'

    assert read_host_xkey(b"NATS/1.0\r\n" + lines + b"\r\n") is None
    assert read_requester(b"NATS/1.0\r\n" + info + lines + b"\r\n") is None


async def test_what_arrived_shortly_before_is_known_whatever_became_of_it() -> None:
    stage = Stage(seconds=0.0)
    stage.send("flood", 3, size=MAX_BODY * 5)
    stage.clock.advance(3)
    stage.send("host", 1, size=10)

    assert stage.intake.bytes_a_second == 3 * MAX_BODY * 5
    stage.clock.advance(7)
    assert stage.intake.bytes_a_second == 0


@pytest.mark.parametrize("end", [b'"}\r\n\r\n', b""])
def test_a_forged_account_of_a_megabyte_makes_no_peers_name_of_that_length(end: bytes) -> None:
    headers = b'NATS/1.0\r\nNats-Request-Info: {"acc":"' + b"A" * 1_000_000 + end

    assert len(peer_of(b"_INBOX.attack.1", headers)) < 200
