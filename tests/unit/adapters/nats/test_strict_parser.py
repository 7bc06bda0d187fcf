"""The parser cuts what a server sends exactly as the protocol delimits it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError
from typing_extensions import override

from adapters.nats.parser import StrictParser

if TYPE_CHECKING:
    from collections.abc import Awaitable

TOKEN = st.binary(min_size=1, max_size=12).map(
    lambda raw: bytes(byte for byte in raw if byte not in b" \t\r\n") or b"x"
)
MESSAGE = st.tuples(
    TOKEN, st.integers(1, 99), TOKEN | st.just(b""), st.binary(max_size=40), st.binary(max_size=90)
)


class Receiver:
    """What the parser calls, in the order it does."""

    is_reconnecting = False
    is_closed = False

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def deliver(self, sid: int, subject: bytes, reply: bytes, *rest: Any) -> Awaitable[None] | None:
        self.calls.append((subject, sid, reply, *rest))
        return None

    async def _process_ping(self) -> None:
        self.calls.append("ping")

    async def _process_pong(self) -> None:
        self.calls.append("pong")

    async def _process_err(self, text: str) -> None:
        self.calls.append(text)
        self.is_reconnecting = "revoked" in text

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.calls.append(info)


async def parse(*chunks: bytes) -> list[Any]:
    receiver = Receiver()
    parser = StrictParser(receiver)
    for chunk in chunks:
        await parser.parse(chunk)
    return receiver.calls


def frame(subject: bytes, sid: int, reply: bytes, headers: bytes, body: bytes) -> bytes:
    address = b" ".join(part for part in (subject, b"%d" % sid, reply) if part)
    if headers:
        line = b"HMSG %s %d %d" % (address, len(headers), len(headers) + len(body))
    else:
        line = b"MSG %s %d" % (address, len(body))
    return line + b"\r\n" + headers + body + b"\r\n"


@given(st.lists(MESSAGE, max_size=5), st.lists(st.integers(0, 400), max_size=6))
async def test_however_the_bytes_are_cut_every_message_arrives_whole(
    messages: list[tuple[bytes, int, bytes, bytes, bytes]], cuts: list[int]
) -> None:
    wire = b"".join(frame(*message) + b"PING\r\n" for message in messages)
    bounds = [0, *sorted(cuts), len(wire)]

    calls = await parse(*(wire[a:b] for a, b in pairwise(bounds)))

    expected: list[Any] = []
    for subject, sid, reply, headers, body in messages:
        expected += [(subject, sid, reply, body, headers or None), "ping"]
    assert calls == expected


@pytest.mark.parametrize("reply", [b"re\x0bply", b"re\x0c7", b"\xff\xfe", b"re\x85ply", b"\x00"])
async def test_only_a_space_separates_arguments(reply: bytes) -> None:
    assert await parse(frame(b"svc.get", 7, reply, b"", b"hi")) == [
        (b"svc.get", 7, reply, b"hi", None)
    ]


async def test_control_lines_reach_the_client() -> None:
    calls = await parse(
        b'PING\r\nPONG\r\n+OK\r\n-ERR \'Permissions Violation for "A"\'\r\n-ERR\r\nINFO {"a":1}\r\n'
    )

    assert calls == ["ping", "pong", 'Permissions Violation for "A"', "", {"a": 1}]


async def test_what_follows_an_error_that_ended_the_connection_is_left_out() -> None:
    assert await parse(b"-ERR 'revoked'\r\nPING\r\n") == ["revoked"]


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request",
        b"MSG a 1",
        b"MSG a x 2",
        b"MSG a 1 b c 2",
        b"MSG a 1 -2",
        b"HMSG a 1 5 2",
        b"HMSG a 1 5",
        b"INFO no json",
        b"INFO []",
        b"",
    ],
)
async def test_what_no_server_sends_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        await parse(line + b"\r\n")


async def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    with pytest.raises(ProtocolError):
        await parse(b"x" * (1024 * 1024 + 1))


async def test_a_reset_forgets_the_half_message_of_the_lost_connection() -> None:
    receiver = Receiver()
    parser = StrictParser(receiver)
    await parser.parse(frame(b"a", 1, b"", b"", b"long body")[:-6])

    parser.reset()
    await parser.parse(b"PING\r\n")

    assert receiver.calls == ["ping"]


class Busy(Receiver):
    """Asks, after each message, to be given time before the next."""

    @override
    def deliver(self, sid: int, subject: bytes, reply: bytes, *rest: Any) -> Awaitable[None]:
        super().deliver(sid, subject, reply, *rest)
        return self._rest()

    async def _rest(self) -> None:
        await asyncio.sleep(0)
        self.calls.append("rested")


async def test_a_receiver_that_needs_time_gets_it_before_the_next_message() -> None:
    receiver = Busy()

    await StrictParser(receiver).parse(frame(b"a", 1, b"", b"", b"x") * 2)

    assert [call if call == "rested" else call[0] for call in receiver.calls] == [
        b"a",
        "rested",
        b"a",
        "rested",
    ]
