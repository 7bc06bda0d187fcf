"""Buckets that other tools made in ways that do not suit secrets: named, and read correctly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import nats
import pytest
from nats.js.api import (
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
)
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.check import NatsKvCheck
from adapters.system.clock import SystemClock
from domain.model.errors import UpstreamError
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from domain.model.errors import StoreUnavailable

_SECONDS = 10.0
_READS = 100


def stream(bucket: str, **options: Any) -> StreamConfig:
    given = {"max_msgs_per_subject": 1, "allow_direct": True} | options
    if "mirror" not in given:
        given["subjects"] = [f"$KV.{bucket}.>"]
    return StreamConfig(name=f"KV_{bucket}", **given)


async def warnings_at_start(client: Client, bucket: str) -> Sequence[str]:
    check = NatsKvCheck(
        client=client,
        config=kv_settings(bucket=bucket),
        encryption_xkey=SodiumXKeyPair.generate(),
        clock=SystemClock(),
    )
    with capture_logs() as records:
        await check.check()
        await check.check()
    return [record["advice"] for record in records if record["event"].startswith("nats_kv.bucket_")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_msgs_per_subject": 4, "allow_msg_ttl": True}, "per-message TTLs"),
        ({"sources": [StreamSource(name="KV_elsewhere")]}, "copied from another stream"),
        ({"republish": RePublish(src=">", dest="copy.>")}, "republishes its values"),
        ({"max_age": 86400.0}, "removed 86400 seconds after"),
        ({"max_bytes": 100_000}, "oldest values are removed"),
        ({"max_msgs": 50, "discard": DiscardPolicy.OLD}, "oldest values are removed"),
        ({"storage": StorageType.MEMORY}, "kept in memory"),
        ({"retention": RetentionPolicy.INTEREST}, "retention is not by limits"),
        ({"retention": RetentionPolicy.WORK_QUEUE}, "retention is not by limits"),
    ],
)
async def test_what_a_configuration_means_is_said_once(
    fresh_nats_server: LocalNatsServer, options: dict[str, Any], said: str
) -> None:
    client = await nats.connect(fresh_nats_server.url)
    await client.jetstream().add_stream(stream("odd", **options))

    (advice,) = await warnings_at_start(client, "odd")

    assert said in advice
    await client.close()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"allow_msg_ttl": True},
        {"max_bytes": 100_000, "discard": DiscardPolicy.NEW},
        {"storage": StorageType.FILE, "retention": RetentionPolicy.LIMITS},
        {
            "max_msgs_per_subject": 4,
            "allow_msg_ttl": True,
            "subject_delete_marker_ttl": 60.0,
            "allow_rollup_hdrs": True,
        },
        {"sources": [StreamSource(name="KV_elsewhere")], "allow_msg_ttl": True},
    ],
)
async def test_a_bucket_that_suits_secrets_is_not_warned_of(
    fresh_nats_server: LocalNatsServer, options: dict[str, Any]
) -> None:
    client = await nats.connect(fresh_nats_server.url)
    await client.jetstream().add_stream(stream("fine", **options))

    assert not await warnings_at_start(client, "fine")
    await client.close()


async def test_a_value_erased_in_the_bucket_is_never_read_from_its_mirror(
    fresh_nats_server: LocalNatsServer,
) -> None:
    client = await nats.connect(fresh_nats_server.url)
    jetstream, clock = client.jetstream(), SystemClock()
    await jetstream.add_stream(stream("keys"))
    await jetstream.add_stream(
        stream("standby", mirror=StreamSource(name="KV_keys"), mirror_direct=True)
    )
    ack = await jetstream.publish("$KV.keys.signing", b"retired")
    await jetstream.publish("$KV.keys.other", b"kept")
    async with asyncio.timeout(_SECONDS):
        while (await jetstream.stream_info("KV_standby")).state.messages < 2:  # noqa: ASYNC110  no event tells
            await asyncio.sleep(0.05)
    await jetstream.delete_msg("KV_keys", ack.seq)
    bucket = Bucket(client, kv_settings(bucket="keys"), clock)

    with capture_logs() as records:
        await bucket.configuration(clock.monotonic() + _SECONDS)
        found = [
            await bucket.latest("signing", clock.monotonic() + _SECONDS) for _ in range(_READS)
        ]

    assert found == [None] * _READS
    (told,) = [record for record in records if record["event"] == "nats_kv.mirror_answers"]
    assert told["mirror"] == "KV_standby"
    await client.close()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_bytes": 2048}, "max_bytes is reached"),
        ({"max_msgs": 2}, "max_msgs is reached"),
        ({"discard_new_per_subject": True}, "as many versions as the bucket keeps"),
        ({"max_msg_size": 100}, "larger than the bucket takes"),
        ({"sealed": True}, "sealed"),
    ],
)
async def test_a_bucket_that_takes_no_more_says_why(
    fresh_nats_server: LocalNatsServer, limits: dict[str, Any], said: str
) -> None:
    client = await nats.connect(fresh_nats_server.url)
    jetstream, clock = client.jetstream(), SystemClock()
    config = stream("small", discard="new", **{k: v for k, v in limits.items() if k != "sealed"})
    await jetstream.add_stream(config)
    if "sealed" in limits:
        config.sealed = True
        await jetstream.update_stream(config)
    bucket = Bucket(client, kv_settings(bucket="small"), clock)

    async def fill() -> None:
        for number in range(8):
            deadline = clock.monotonic() + _SECONDS
            await bucket.append(f"key{number % 4}", bytes(500), {}, deadline)

    with pytest.raises(UpstreamError) as caught:
        await fill()
    error: UpstreamError | StoreUnavailable = caught.value
    assert error.reason == "jetstream_refused"
    assert said in error.advice
    await client.close()
