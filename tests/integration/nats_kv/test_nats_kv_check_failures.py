"""What the check finds: other keys, buckets that are missing or cannot be made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import UpstreamError
from ports.store_check import StoreMisconfiguredError
from tests.integration.nats_kv.failing_kv import OnlyExisting
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from tests.integration.nats_kv.kv_under_test import Kv


async def test_the_check_refuses_a_wrong_encryption_key(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    await kv.writer.put("deleted", "value")
    await kv.catalog.delete("deleted")

    with pytest.raises(StoreMisconfiguredError, match="ENCRYPTION_XKEY_SEED"):
        await replace(kv, xkey=SodiumXKeyPair.generate()).check.check()


async def test_the_check_forgives_single_values_that_do_not_open(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    await kv.write_raw("mistake", b"not sealed")

    await kv.check.check()


async def test_the_check_makes_the_bucket_and_passes_again(kv: Kv) -> None:
    await kv.check.check()
    await kv.check.check()

    assert (await kv.jetstream.key_value(kv.config.bucket)) is not None


async def test_checks_at_the_same_time_make_one_bucket(kv: Kv) -> None:
    longer = replace(kv, config=kv_settings(bucket=kv.config.bucket, history=9))

    await asyncio.gather(*(each.check.check() for each in (kv, longer, kv, longer)))


async def test_a_missing_bucket_is_named_and_not_made_when_that_is_not_allowed(kv: Kv) -> None:
    bucket = kv.config.bucket
    found = kv_settings(bucket=bucket).model_dump(exclude_none=True)
    kept = replace(kv, config=OnlyExisting(**found))

    with pytest.raises(UpstreamError, match=bucket):
        await kept.store.get("key")
    with pytest.raises(UpstreamError, match=bucket):
        await kept.writer.put("key", "value")
    with pytest.raises(StoreMisconfiguredError, match=bucket):
        await kept.check.check()


async def test_a_bucket_deleted_meanwhile_is_missing(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    store = kv.store
    await store.get("key")
    await kv.jetstream.delete_stream(f"KV_{kv.config.bucket}")

    with pytest.raises(UpstreamError) as caught:
        await store.get("key")

    assert caught.value.reason == "bucket_missing"


async def test_more_replicas_than_servers_is_a_misconfiguration(kv: Kv) -> None:
    with pytest.raises(StoreMisconfiguredError, match="error 10074"):
        await replace(kv, config=kv_settings(bucket=kv.config.bucket, replicas=3)).check.check()
