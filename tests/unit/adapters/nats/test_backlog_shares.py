"""What one peer may hold of the places and of the backlog, and who is one peer."""

from __future__ import annotations

import asyncio

import pytest

from adapters.nats.answering import PLACE_BYTES
from adapters.nats.backlog import Backlog, Waiting
from adapters.nats.headers import MAX_BLOCK_BYTES, read_host_xkey, read_requester
from adapters.nats.peers import Shares, peer_of
from bootstrap.store_pipeline import places_to_wait
from domain.model.transport import Request
from tests.unit.adapters.nats.intake_stage import MAX_BODY, Stage


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
