"""What the check finds: values sealed with other keys, buckets missing or that cannot be made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.operating import OtherKeyError
from domain.model.errors import UpstreamError
from ports.store_check import StoreMisconfiguredError
from tests.integration.nats_kv.kv_under_test import OnlyExisting
from tests.support.environments import kv_settings
from tests.support.refused import refused

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

    with refused(UpstreamError, "bucket_missing"):
        await store.get("key")


async def test_more_replicas_than_servers_is_a_misconfiguration(kv: Kv) -> None:
    with pytest.raises(StoreMisconfiguredError, match="error 10074"):
        await replace(kv, config=kv_settings(bucket=kv.config.bucket, replicas=3)).check.check()


def with_other_key(kv: Kv) -> Kv:
    return replace(kv, xkey=SodiumXKeyPair.generate())


async def put_with_other_key(kv: Kv, count: int) -> None:
    writer = with_other_key(kv).writer
    for number in range(count):
        await writer.put(f"other/KEY_{number}", "value", any_key=True)


async def test_a_start_without_any_value_that_opens_is_refused_with_their_number(kv: Kv) -> None:
    await put_with_other_key(kv, 3)

    with pytest.raises(StoreMisconfiguredError, match="none of the 3 looked at opens"):
        await kv.check.check()


@pytest.mark.parametrize("others", [1, 20, 40])
async def test_values_that_do_not_open_stop_no_start_while_an_older_one_does(
    kv: Kv, others: int
) -> None:
    await kv.writer.put("OLD", "value")
    await put_with_other_key(kv, others)

    check = kv.check
    with capture_logs() as logs:
        await check.check()
        await check.check()

    (warning,) = (log for log in logs if log["event"] == "nats_kv.values_unreadable")
    assert (warning["unreadable"], warning["looked_at"]) == (others, others + 1)
    assert (await kv.store.get("OLD")).value.reveal() == "value"


async def test_a_bucket_whose_values_all_open_gives_no_warning(kv: Kv) -> None:
    await kv.writer.put("KEY", "value")

    with capture_logs() as logs:
        await kv.check.check()

    assert [log["event"] for log in logs] == []


async def test_deleted_values_of_another_key_do_not_count(kv: Kv) -> None:
    await put_with_other_key(kv, 1)
    await kv.catalog.delete("other/KEY_0", keep_history=True)

    await kv.check.check()
    await kv.writer.put("KEY", "value")


@pytest.mark.parametrize("older", [1, 20])
async def test_a_writer_with_another_key_is_refused_and_stores_nothing(kv: Kv, older: int) -> None:
    for number in range(older):
        await kv.writer.put(f"KEY_{number}", "value")

    with pytest.raises(OtherKeyError, match="Nothing was stored"):
        await with_other_key(kv).writer.put("NEW", "value")

    assert "NEW" not in await kv.catalog.keys()


async def test_a_writer_whose_key_opens_an_older_value_may_write(kv: Kv) -> None:
    await kv.writer.put("OLD", "value")
    await put_with_other_key(kv, 30)

    await kv.writer.put("NEW", "value")

    assert (await kv.store.get("NEW")).value.reveal() == "value"
