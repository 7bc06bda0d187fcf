"""Responses as servers write them, in pieces of any size, and what is no response."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http1.responses import MAX_HEAD_BYTES, WholeResponse

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

BOUND = 1_000
JSON = b"content-type: application/json\r\n"
MEASURED = b"HTTP/1.1 200 OK\r\nX-Id: one\r\nx-id: two\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nX-Id: trailer\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Id: early\r\n\r\n"


class Rig:
    """Attributes: `reader`; `outcome` of what it has read."""

    def __init__(self, method: str = "GET") -> None:
        self._loop = asyncio.new_event_loop()
        self._future: asyncio.Future[UpstreamResponse] = self._loop.create_future()
        self.reader = WholeResponse(method, BOUND, self._future)

    def __del__(self) -> None:
        self._loop.close()

    @property
    def is_open(self) -> bool:
        return not self._future.done()

    @property
    def response(self) -> UpstreamResponse:
        return self._future.result()

    @property
    def failure(self) -> Failure:
        error = self._future.exception()
        assert isinstance(error, TransportError)
        return error.failure


def read(data: bytes, method: str = "GET") -> Rig:
    rig = Rig(method)
    rig.reader.feed(data)
    return rig


def test_what_was_read_is_freed_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        reader = weakref.ref(read(MEASURED).reader)
    finally:
        gc.enable()

    assert reader() is None


@given(
    data=st.sampled_from([MEASURED, CHUNKED, INTERIM + MEASURED]),
    cuts=st.lists(st.integers(1, 60), max_size=20),
)
def test_a_response_is_the_same_in_pieces_of_any_size(data: bytes, cuts: list[int]) -> None:
    rig = Rig()
    for size in cuts:
        piece, data = data[:size], data[size:]
        if piece:
            assert rig.is_open
            rig.reader.feed(piece)
    if data:
        rig.reader.feed(data)

    assert rig.response.body == b"hello"
    assert rig.response.headers.get("x-id") in {"two", None}
    assert rig.reader.keep_alive


def test_trailers_and_interim_responses_leave_no_header() -> None:
    assert "x-id" not in read(CHUNKED).response.headers
    assert read(INTERIM + MEASURED).response.headers["x-id"] == "two"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_ends_with_its_head(status: int) -> None:
    rig = read(b"HTTP/1.1 %d Status\r\nETag: x\r\n\r\n" % status)

    assert rig.response.status == status
    assert rig.reader.keep_alive


def test_the_response_to_head_has_no_body_whatever_its_length() -> None:
    rig = read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD")

    assert rig.response.body == b""
    assert not rig.reader.keep_alive


def test_a_body_without_a_measure_ends_with_the_connection() -> None:
    rig = read(b"HTTP/1.0 200 OK\r\n\r\nhel")
    rig.reader.feed(b"lo")
    assert rig.is_open
    rig.reader.lost(None)

    assert rig.response.body == b"hello"
    assert not rig.reader.keep_alive


@pytest.mark.parametrize(
    "data",
    [
        MEASURED[:-1],
        CHUNKED[:-2],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n",
        b"",
    ],
)
def test_half_a_response_is_none(data: bytes) -> None:
    rig = read(data)
    assert rig.is_open
    rig.reader.lost(None)

    assert rig.failure is Failure.UNREACHABLE


def test_a_body_that_breaks_off_with_an_error_is_none() -> None:
    rig = read(b"HTTP/1.0 200 OK\r\n\r\nhello")
    rig.reader.lost(ConnectionResetError())

    assert rig.failure is Failure.UNREACHABLE


@pytest.mark.parametrize("status", [400, 413, 503])
def test_a_refusal_that_ends_in_a_reset_is_a_response(status: int) -> None:
    rig = read(b"HTTP/1.0 %d Refused\r\n\r\nClient sent an HTTP" % status)
    rig.reader.lost(ConnectionResetError())

    assert rig.response.status == status
    assert not rig.reader.keep_alive


def test_a_refusal_with_a_measure_is_one_only_if_it_has_come_whole() -> None:
    rig = read(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 40\r\n\r\n{")
    rig.reader.lost(ConnectionResetError())

    assert rig.failure is Failure.UNREACHABLE


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_no_response(head: bytes) -> None:
    assert read(head).failure is Failure.UNREACHABLE


@pytest.mark.parametrize("surplus", [MEASURED, b"HTTP/1.1 2"])
def test_nothing_that_follows_a_response_is_the_next_requests(surplus: bytes) -> None:
    rig = read(MEASURED + surplus)

    assert rig.response.body == b"hello"
    assert not rig.reader.keep_alive


@pytest.mark.parametrize(
    ("head", "body", "failure"),
    [
        (JSON + b"content-length: 1001\r\n", b"", Failure.TOO_LARGE),
        (b"content-length: 1001\r\n", b"", Failure.UNREADABLE),
        (JSON, b"x" * (BOUND + 1), Failure.TOO_LARGE),
        (b"", b"x" * (BOUND + 1), Failure.UNREADABLE),
        (JSON + b"transfer-encoding: chunked\r\n", b"3e9\r\n" + b"x" * 1001, Failure.TOO_LARGE),
        (JSON + b"content-encoding: gzip\r\ncontent-length: 5\r\n", b"", Failure.UNREADABLE),
    ],
)
def test_a_body_that_is_too_large_or_packed_ends_the_reading(
    head: bytes, body: bytes, failure: Failure
) -> None:
    rig = read(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)

    assert rig.failure is failure
    assert not rig.reader.keep_alive


def fed(head: bytes, piece: bytes) -> Failure:
    rig = read(head)
    for _ in range(2 * MAX_HEAD_BYTES // len(piece)):
        if not rig.is_open:
            break
        rig.reader.feed(piece)
    return rig.failure


@pytest.mark.parametrize("piece", [b"X-Header: value\r\n", INTERIM])
def test_a_head_without_an_end_is_given_up(piece: bytes) -> None:
    start = b"" if piece is INTERIM else b"HTTP/1.1 200 OK\r\n"

    assert fed(start, piece) is Failure.UNREADABLE


@pytest.mark.parametrize(
    "piece", [b"X-Trailer: value\r\n", b"X" * 64], ids=["trailers", "one trailer"]
)
def test_trailers_without_an_end_are_given_up(piece: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"

    assert fed(head, piece) is Failure.TOO_LARGE
