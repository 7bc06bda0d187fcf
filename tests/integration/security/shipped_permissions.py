"""What the shipped logins of each role read and write at JetStream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nats.errors

if TYPE_CHECKING:
    from tests.integration.security.roles import PlainClient


BUCKET, AUDIT = "WASMCLOUD_SECRETS", "SECRETS_AUDIT"
READS = [
    f"$JS.API.{call}"
    for stream in (f"KV_{BUCKET}", AUDIT)
    for call in (
        f"STREAM.INFO.{stream}",
        f"STREAM.MSG.GET.{stream}",
        f"DIRECT.GET.{stream}",
        f"DIRECT.GET.{stream}.$KV.{BUCKET}.KEY",
        f"CONSUMER.CREATE.{stream}",
        f"CONSUMER.CREATE.{stream}.name",
        f"CONSUMER.DURABLE.CREATE.{stream}.name",
        f"STREAM.SNAPSHOT.{stream}",
    )
]
WRITES = [
    f"$KV.{BUCKET}.KEY",
    *(
        f"$JS.API.{call}"
        for stream in (f"KV_{BUCKET}", AUDIT)
        for call in (
            f"STREAM.UPDATE.{stream}",
            f"STREAM.DELETE.{stream}",
            f"STREAM.PURGE.{stream}",
            f"STREAM.MSG.DELETE.{stream}",
            f"STREAM.RESTORE.{stream}",
        )
    ),
]


async def asked(client: PlainClient, subject: str) -> dict[str, object] | None:
    """Return what a request gets, or None without an answer or where the server refuses it."""
    try:
        reply = await client.client.request(subject, b'{"seq":1,"last_by_subj":">"}', timeout=0.3)
    except nats.errors.Error:
        return None
    answer: dict[str, object] = json.loads(reply.data) if reply.data else {"error": "empty"}
    return answer
