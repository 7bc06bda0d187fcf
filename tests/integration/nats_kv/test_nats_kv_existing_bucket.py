"""Buckets that others made and filled are served as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.js.api import DiscardPolicy, StorageType, StoreCompression, StreamConfig

from domain.model.errors import SecretNotFound, UpstreamError
from ports.store_check import StoreMisconfiguredError

if TYPE_CHECKING:
    from tests.integration.nats_kv.kv_under_test import Kv


@pytest.fixture
async def rust_kv(kv: Kv) -> Kv:
    """The stream as async-nats makes it for secrets-nats-kv: S2, a history, direct get."""
    bucket = kv.config.bucket
    await kv.jetstream.add_stream(
        StreamConfig(
            name=f"KV_{bucket}",
            subjects=[f"$KV.{bucket}.>"],
            max_msgs_per_subject=64,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            compression=StoreCompression.S2,
            allow_rollup_hdrs=True,
            deny_delete=True,
            allow_direct=True,
            num_replicas=1,
        )
    )
    return kv


def sealed(kv: Kv, plain: bytes) -> bytes:
    """Seal a value as the Rust backend does: the encryption xkey for its own public key."""
    return kv.xkey.seal(plain, kv.xkey.public)


async def test_values_of_wasmclouds_own_backend_are_served_with_their_revisions(
    rust_kv: Kv,
) -> None:
    first = await rust_kv.write_raw("api.token", sealed(rust_kv, b"old"))
    await rust_kv.write_raw("another", sealed(rust_kv, b"other"))
    second = await rust_kv.write_raw("api.token", sealed(rust_kv, b"new"))

    latest = await rust_kv.store.get("api.token")
    older = await rust_kv.store.get("api.token", str(first))

    assert (latest.version, latest.value.reveal()) == (str(second), "new")
    assert (older.version, older.value.reveal()) == (str(first), "old")


async def test_values_that_are_no_utf8_are_served_as_binary(rust_kv: Kv) -> None:
    await rust_kv.write_raw("certificate", sealed(rust_kv, b"\x30\x82\xff"))

    assert (await rust_kv.store.get("certificate")).value.reveal() == b"\x30\x82\xff"


async def test_checking_and_writing_leave_an_existing_bucket_as_it_is(rust_kv: Kv) -> None:
    stream = f"KV_{rust_kv.config.bucket}"
    before = (await rust_kv.jetstream.stream_info(stream)).config

    await rust_kv.check.check()
    await rust_kv.writer.put("key", "value")

    assert (await rust_kv.jetstream.stream_info(stream)).config == before


async def test_a_kv_key_with_a_leading_slash_is_not_served_in_place_of_the_one_without(
    rust_kv: Kv,
) -> None:
    await rust_kv.write_raw("/token", sealed(rust_kv, b"value"))

    with pytest.raises(SecretNotFound):
        await rust_kv.store.get("/token")


async def test_a_bucket_made_by_a_plain_nats_client_is_served(kv: Kv) -> None:
    await kv.jetstream.create_key_value(bucket=kv.config.bucket, history=5)
    await kv.writer.put("key", "value")

    assert (await kv.store.get("key")).value.reveal() == "value"


async def test_a_bucket_made_here_is_a_kv_bucket_for_every_client(kv: Kv) -> None:
    version = await kv.writer.put("folder/key", "value")

    bucket = await kv.jetstream.key_value(kv.config.bucket)
    entry = await bucket.get("folder/key")
    config = (await bucket.status()).stream_info.config

    assert str(entry.revision) == version
    assert kv.xkey.open(entry.value or b"", kv.xkey.public) == b"value"
    assert (config.compression, config.max_msgs_per_subject) == ("s2", 64)
    assert (config.storage, config.num_replicas, config.allow_direct) == ("file", 1, True)


async def test_a_bucket_made_anew_without_direct_get_is_found_again(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    store = kv.store
    await store.get("key")
    await kv.jetstream.delete_stream(f"KV_{kv.config.bucket}")
    await kv.jetstream.create_key_value(bucket=kv.config.bucket)
    await kv.writer.put("key", "again")

    assert (await store.get("key")).value.reveal() == "again"


async def test_a_bucket_deleted_meanwhile_fails_the_check_until_it_is_there_again(kv: Kv) -> None:
    check = kv.check
    await check.check()
    await kv.jetstream.delete_stream(f"KV_{kv.config.bucket}")

    for _ in range(2):
        with pytest.raises(StoreMisconfiguredError, match=f"There is no bucket {kv.config.bucket}"):
            await check.check()
    await kv.writer.put("key", "value")
    await check.check()


async def test_a_mirror_is_refused_with_the_name_of_the_setting(kv: Kv) -> None:
    await kv.jetstream.create_key_value(bucket=f"{kv.config.bucket}-origin")
    await kv.client.request(
        f"$JS.API.STREAM.CREATE.KV_{kv.config.bucket}",
        b'{"name":"KV_%b","max_msgs_per_subject":1,"mirror":{"name":"KV_%b-origin"}}'
        % (kv.config.bucket.encode(), kv.config.bucket.encode()),
    )

    with pytest.raises(UpstreamError, match="NATS_KV_BUCKET"):
        await kv.store.get("key")
