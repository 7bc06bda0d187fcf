"""A sink for the audit stream of a real server, and what the stream holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nats

from adapters.audit.sink import BufferLimits

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

    from bootstrap.local.nats_server import LocalNatsServer


LIMITS = BufferLimits(grace_seconds=10)


async def connect(server: LocalNatsServer, **login: str) -> Client:
    async def ignore(_: Exception) -> None:
        """nats-py would print each failed attempt."""

    return await nats.connect(
        server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=ignore, **login
    )


async def messages(jetstream: JetStreamContext, stream: str) -> list[bytes]:
    info = await jetstream.stream_info(stream)
    found = [
        await jetstream.get_msg(stream, seq=number)
        for number in range(info.state.first_seq, info.state.last_seq + 1)
    ]
    return [message.data or b"" for message in found]


async def request_ids(jetstream: JetStreamContext, stream: str) -> list[str]:
    return [json.loads(line)["request_id"] for line in await messages(jetstream, stream)]
