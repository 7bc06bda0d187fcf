"""The server's answer that nothing listens: read as nats-py reads it, without its JetStream."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nats.aio.client import Client

from adapters.nats.client import ResilientClient

READ = """\
import asyncio, sys
import bootstrap.lean_imports
from adapters.nats.client import ResilientClient

read = ResilientClient()._process_headers
print(asyncio.run(read(b"NATS/1.0 503\\r\\n\\r\\n")), "nats.js.api" in sys.modules)
print(asyncio.run(read(b"NATS/1.0 404 No Messages\\r\\n\\r\\n")), "nats.js.api" in sys.modules)
"""


async def test_it_is_read_as_nats_py_reads_it() -> None:
    block = b"NATS/1.0 503\r\n\r\n"

    assert await ResilientClient()._process_headers(block) == {"Status": "503"}
    assert await Client()._process_headers(block) == {"Status": "503"}


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"NATS/1.0\r\nName: value\r\n\r\n",
        b"NATS/1.0 404\r\n\r\n",
        b"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Stream: 3\r\n\r\n",
    ],
)
async def test_every_other_block_is_read_by_nats_py(block: bytes) -> None:
    ours, theirs = ResilientClient(), Client()

    assert await ours._process_headers(block) == await theirs._process_headers(block)


def test_jetstream_is_loaded_for_another_status_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ], check=True, capture_output=True, text=True
    ).stdout.splitlines()

    assert done[0] == "{'Status': '503'} False"
    assert done[1].endswith("True")
