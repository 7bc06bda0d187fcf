"""What becomes of a secret as its operator writes, lists and deletes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.nats_kv.calls import VersionConflictError
from domain.model.errors import InvalidRequest, SecretNotFound
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from tests.integration.nats_kv.kv_under_test import Kv

HALF_A_MEBIBYTE = 512 * 1024


async def test_half_a_mebibyte_comes_back_exactly(kv: Kv) -> None:
    value = "0123456789abcdef" * (HALF_A_MEBIBYTE // 16)
    await kv.writer.put("large", value)

    assert (await kv.store.get("large")).value.reveal() == value


async def test_a_text_too_large_to_carry_is_refused_with_the_limit(kv: Kv) -> None:
    with pytest.raises(InvalidRequest, match="max_payload"):
        await kv.writer.put("large", "x" * kv.client.max_payload)


async def test_binary_that_could_be_stored_but_never_answered_is_refused(kv: Kv) -> None:
    with pytest.raises(InvalidRequest, match="max_payload"):
        await kv.writer.put("large", b"\xff" * HALF_A_MEBIBYTE)


async def test_a_purged_secret_is_gone_in_every_version(kv: Kv) -> None:
    version = await kv.writer.put("key", "value")
    await kv.catalog.delete("key")
    (marker,) = await kv.catalog.history("key")

    assert marker.operation == "purge"
    for asked in (None, version, marker.version):
        with pytest.raises(SecretNotFound):
            await kv.store.get("key", asked)


async def test_a_delete_that_keeps_the_history_leaves_the_old_versions_alone(kv: Kv) -> None:
    version = await kv.writer.put("key", "value")
    await kv.catalog.delete("key", keep_history=True)
    marker = (await kv.catalog.history("key"))[-1]

    assert (await kv.store.get("key", version)).value.reveal() == "value"
    for asked in (None, marker.version):
        with pytest.raises(SecretNotFound):
            await kv.store.get("key", asked)


async def test_what_is_already_deleted_can_still_be_purged_once(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    await kv.catalog.delete("key", keep_history=True)
    with pytest.raises(SecretNotFound):
        await kv.catalog.delete("key", keep_history=True)

    await kv.catalog.delete("key")

    with pytest.raises(SecretNotFound):
        await kv.catalog.delete("key")


async def test_deleting_what_never_was_is_not_found(kv: Kv) -> None:
    await kv.check.check()

    with pytest.raises(SecretNotFound):
        await kv.catalog.delete("key")
    with pytest.raises(SecretNotFound):
        await kv.catalog.history("key")


async def test_a_marker_that_nats_server_wrote_is_no_value(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    await kv.jetstream.publish(
        f"$KV.{kv.config.bucket}.key", b"", headers={"Nats-Marker-Reason": "MaxAge"}
    )

    with pytest.raises(SecretNotFound):
        await kv.store.get("key")


async def test_versions_beyond_the_history_are_not_found(kv: Kv) -> None:
    short = replace(kv, config=kv_settings(bucket=kv.config.bucket, history=3))
    versions = [await short.writer.put("key", f"value {number}") for number in range(5)]

    with pytest.raises(SecretNotFound):
        await short.store.get("key", versions[1])
    kept = [revision.version for revision in await short.catalog.history("key")]

    assert kept == versions[2:]
    assert (await short.store.get("key", versions[2])).value.reveal() == "value 2"


async def test_history_shows_sizes_and_operations_and_no_values(kv: Kv) -> None:
    await kv.writer.put("key", "päss")
    await kv.writer.put("key", "")
    await kv.catalog.delete("key", keep_history=True)

    history = await kv.catalog.history("key")

    assert [(r.operation.value, r.size) for r in history] == [("put", 5), ("put", 0), ("delete", 0)]
    times = [revision.created for revision in history if revision.created is not None]
    assert len(times) == 3
    assert times == sorted(times)


async def test_a_write_that_expects_the_latest_version_goes_through(kv: Kv) -> None:
    first = await kv.writer.put("key", "one")

    second = await kv.writer.put("key", "two", expected=first)

    assert int(second) > int(first)
    with pytest.raises(VersionConflictError):
        await kv.writer.put("key", "three", expected=first)
    assert (await kv.store.get("key")).value.reveal() == "two"


async def test_a_write_that_expects_no_value_creates_once_and_again_after_a_delete(kv: Kv) -> None:
    await kv.writer.put("key", "one", expected="0")
    with pytest.raises(VersionConflictError):
        await kv.writer.put("key", "two", expected="0")
    await kv.catalog.delete("key")

    await kv.writer.put("key", "three", expected="0")

    assert (await kv.store.get("key")).value.reveal() == "three"


async def test_of_many_writers_that_expect_no_value_one_wins(kv: Kv) -> None:
    writer = kv.writer
    await kv.check.check()

    outcomes = await asyncio.gather(
        *(writer.put("key", str(number), expected="0") for number in range(8)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(str) == 1
    assert [type(outcome) for outcome in outcomes].count(VersionConflictError) == 7


async def test_an_expected_version_that_cannot_be_is_refused(kv: Kv) -> None:
    with pytest.raises(InvalidRequest):
        await kv.writer.put("key", "value", expected="latest")


async def test_keys_lists_what_has_a_value(kv: Kv) -> None:
    for key in ("b/two", "a", "b/one", "gone", "purged"):
        await kv.writer.put(key, "value")
    await kv.catalog.delete("gone", keep_history=True)
    await kv.catalog.delete("purged")

    assert await kv.catalog.keys() == ["a", "b/one", "b/two"]
    assert await kv.catalog.keys("b/") == ["b/one", "b/two"]
    assert await kv.catalog.keys("/b/") == ["b/one", "b/two"]


async def test_keys_of_an_empty_bucket_and_of_one_with_nothing_left_are_none(kv: Kv) -> None:
    await kv.check.check()
    assert await kv.catalog.keys() == []

    await kv.writer.put("key", "value")
    await kv.catalog.delete("key")

    assert await kv.catalog.keys() == []


async def test_a_thousand_keys_are_listed_completely(kv: Kv) -> None:
    await kv.check.check()
    await asyncio.gather(*(kv.write_raw(f"key-{number:04}", b"") for number in range(1000)))

    assert await kv.catalog.keys() == [f"key-{number:04}" for number in range(1000)]
