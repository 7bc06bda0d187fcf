"""Answers that JetStream did not write: one typed failure, whatever nats-py makes of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.errors import ProtocolError
from typing_extensions import override

from adapters.nats.client import ResilientClient
from adapters.nats_kv.calls import upstream_error

MESSAGE = {"subject": "$KV.B.K", "seq": 3, "time": "2026-11-22T10:00:00Z"}
STATE: dict[str, Any] = {
    "messages": 1,
    "bytes": 1,
    "first_seq": 1,
    "last_seq": 1,
    "consumer_count": 0,
}


class Answering(ResilientClient):
    """Gets the same answer to each request."""

    def __init__(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self._body = body
        self._headers = headers

    @override
    async def request(self, subject: str, *_: Any, **__: Any) -> Msg:
        return Msg(self, subject, data=self._body, headers=self._headers)


def message(**members: Any) -> bytes:
    return json.dumps({"message": {**MESSAGE, **members}}).encode()


def stream(config: Any = None, **state: Any) -> bytes:
    return json.dumps({"config": config or {"name": "S"}, "state": STATE | state}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[" * 100_000,
        b"[]",
        b"null",
        b"{}",
        b'{"message": []}',
        b'{"error": 7}',
        message(seq="3"),
        message(seq=True),
        message(seq=None),
        message(subject=["$KV.B.K"]),
        message(time="tomorrow"),
        message(data="abcde"),
        message(data=["x"]),
        message(hdrs=9),
    ],
)
async def test_a_message_that_is_none_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError) as failure:
        await Answering(body).jetstream().get_msg("S", seq=3)

    assert failure.value.__context__ is None


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Nats-Subject": "$KV.B.K"},
        {"Nats-Subject": "$KV.B.K", "Nats-Sequence": "three"},
        {"Nats-Subject": "$KV.B.K", "Nats-Sequence": "9" * 5000},
        {"Nats-Subject": "$KV.B.K", "Nats-Sequence": "3", "Nats-Time-Stamp": "13:00"},
    ],
)
async def test_a_direct_answer_without_its_headers_is_one_too(
    headers: dict[str, str] | None,
) -> None:
    with pytest.raises(ProtocolError):
        await Answering(b"sealed", headers).jetstream().get_msg("S", seq=3, direct=True)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        stream(config="S"),
        stream(config={"name": "S", "subjects": "$KV.B.>"}),
        stream(config={"name": "S", "subjects": [1]}),
        stream(last_seq="1"),
        stream(last_seq=-1),
        stream(subjects=[]),
    ],
)
async def test_a_stream_that_is_none_is_one_too(body: bytes) -> None:
    jetstream = Answering(body).jetstream()

    with pytest.raises(ProtocolError):
        await jetstream.stream_info("S")
    with pytest.raises(ProtocolError):
        await jetstream.add_stream(name="S", subjects=["x"])


async def test_an_acknowledgement_without_a_number_is_one_too() -> None:
    with pytest.raises(ProtocolError):
        await Answering(b'{"stream": "S", "seq": "1"}').jetstream().publish("x", b"")


async def test_what_jetstream_writes_is_read() -> None:
    data = base64.b64encode(b"sealed").decode()
    found = await Answering(message(data=data)).jetstream().get_msg("S", seq=3)
    info = await Answering(stream(subjects={"x": 1})).jetstream().stream_info("S")

    assert (found.seq, found.data) == (3, b"sealed")
    assert info.state.subjects == {"x": 1}


def test_the_failure_says_what_to_look_at() -> None:
    failure = upstream_error(ProtocolError())

    assert failure.reason == "answer_malformed"
    assert "inbox" in failure.advice
