"""What the bench sends is a host's request, and what it counts as answered was answered."""

from __future__ import annotations

import asyncio
import json

import pytest
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from benchmarks.load import INBOX, LoadConnection
from benchmarks.sealed_requests import HostXKey, Requester, frames
from domain.model.messages import SecretRequest

ANSWER = f"HMSG {INBOX}.0 1 4 10\r\nhead".encode() + b"sealed\r\n"
ERROR = f'MSG {INBOX}.1 1 10\r\n{{"error":}}'.encode() + b"\r\n"


class Wire(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)


@pytest.fixture
async def load() -> LoadConnection:
    connection = LoadConnection()
    connection.connection_made(Wire())
    connection.data_received(b"INFO {}\r\nPONG\r\n")
    await connection.ready
    return connection


def test_a_frame_holds_a_request_that_the_server_opens() -> None:
    server = SodiumXKeyPair.generate()
    host = HostXKey(server.public)

    (frame,) = frames([host], [Requester().ask("KEY")], "subject", "inbox")

    command, _, message = frame.partition(b"\r\n")
    assert command.split() == [
        b"HPUB",
        b"subject",
        b"inbox.0",
        str(host.head_bytes).encode(),
        str(len(message) - 2).encode(),
    ]
    opened = server.open(message[host.head_bytes : -2], host.pair.public)
    assert SecretRequest.from_json(opened).key == "KEY"
    assert json.loads(opened)["context"]["application"]["name"] == "shop"


def test_no_two_frames_are_alike() -> None:
    host = HostXKey(SodiumXKeyPair.generate().public)

    first, second = (host.message(b"same") for _ in range(2))

    assert first != second


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_replies_are_counted_however_they_arrive(load: LoadConnection, size: int) -> None:
    run = asyncio.create_task(load.run([b"first", b"second"], at_once=2))
    await asyncio.sleep(0)

    wire = ANSWER + ERROR
    for start in range(0, len(wire), size):
        load.data_received(wire[start : start + size])
    result = await run

    assert result.answered == 1
    assert result.last == (0, b"head", b"sealed")
    assert result.errors == {'{"error":}': 1}
    assert len(result.latencies) == 2
    assert result.refusals == [(1, result.latencies[1], '{"error":}')]


async def test_replies_that_never_come_are_given_up(load: LoadConnection) -> None:
    run = asyncio.create_task(load.run([b"first", b"second"], at_once=2, patience=0))
    await asyncio.sleep(0)

    load.data_received(ERROR)
    result = await run

    assert len(result.latencies) == 1
    assert result.answered == 0


async def test_an_error_of_the_server_ends_the_load(load: LoadConnection) -> None:
    run = asyncio.create_task(load.run([b"first"], at_once=1))
    await asyncio.sleep(0)

    load.data_received(b"-ERR 'Maximum Connections Exceeded'\r\n")

    with pytest.raises(ConnectionError, match="Maximum Connections"):
        await run
