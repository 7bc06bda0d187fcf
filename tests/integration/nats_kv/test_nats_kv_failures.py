"""Whatever is wrong with NATS or the bucket ends in a clear error by the deadline."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import nats
import pytest
import structlog
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from domain.model.errors import SecretsError, UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.contracts.secret_store import CALLER
from tests.integration.nats_kv.kv_under_test import Kv
from tests.support.environments import kv_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

CANARY = "canary-5c1b7e90"

ACCOUNT_WITHOUT_JETSTREAM = """
accounts {
  KV { jetstream: enabled, users: [{user: kv, password: kv}] }
  PLAIN { users: [{user: plain, password: plain}] }
  SYS { users: [{user: sys, password: sys}] }
}
system_account: SYS
"""

USER_WITHOUT_PERMISSION = """
authorization {
  users: [{
    user: narrow, password: narrow, permissions: { publish: ["none"], subscribe: ["_INBOX.>"] }
  }]
}
"""


async def _quiet(_: Exception) -> None:
    """Take the driver's own error reports, which it would print."""


async def connect(url: str, **options: str) -> Client:
    return await nats.connect(url, error_cb=_quiet, **options)


async def fetch(kv: Kv, key: str, *, seconds: float) -> None:
    store = kv.store
    deadline = SystemClock().monotonic() + seconds
    await store.fetch(SecretQuery(store.locate(SecretReference(key)), None, CALLER, deadline))


async def test_a_wrong_encryption_key_is_an_upstream_error_without_the_ciphertext(kv: Kv) -> None:
    await kv.writer.put("key", CANARY)
    (stored,) = await stored_values(kv, "key")
    wrong = replace(kv, xkey=SodiumXKeyPair.generate())

    with pytest.raises(UpstreamError, match="ENCRYPTION_XKEY_SEED") as caught:
        await wrong.store.get("key")

    assert caught.value.reason == "value_unreadable"
    assert repr(stored) not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("stored", [b"", b"plain text", b"xkv1", b"xkv1" + bytes(40)])
async def test_a_value_that_was_never_sealed_is_not_served(kv: Kv, stored: bytes) -> None:
    await kv.check.check()
    await kv.write_raw("key", stored)

    with pytest.raises(UpstreamError, match="encryption xkey"):
        await kv.store.get("key")


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


class OnlyExisting(NatsKvSettings):
    create_bucket: ClassVar[bool] = False


class Hasty(NatsKvSettings):
    operation_seconds: ClassVar[float] = 0.3


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


async def test_a_bucket_deleted_meanwhile_fails_the_check_until_it_is_there_again(kv: Kv) -> None:
    check = kv.check
    await check.check()
    await kv.jetstream.delete_stream(f"KV_{kv.config.bucket}")

    for _ in range(2):
        with pytest.raises(StoreMisconfiguredError, match=f"There is no bucket {kv.config.bucket}"):
            await check.check()
    await kv.writer.put("key", "value")
    await check.check()


async def test_more_replicas_than_servers_is_a_misconfiguration(kv: Kv) -> None:
    with pytest.raises(StoreMisconfiguredError, match="error 10074"):
        await replace(kv, config=kv_settings(bucket=kv.config.bucket, replicas=3)).check.check()


async def test_without_jetstream_the_error_says_to_enable_it(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(jetstream=False)
    client = await connect(server.url)
    kv = Kv(client, kv_settings(), SodiumXKeyPair.generate())

    with pytest.raises(UpstreamError, match="JetStream"):
        await kv.store.get("key")
    with pytest.raises(UpstreamError, match="JetStream"):
        await kv.writer.put("key", "value")
    with pytest.raises(StoreUnreachableError, match="JetStream"):
        await kv.check.check()
    await client.close()


async def test_an_account_without_jetstream_is_a_misconfiguration(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(ACCOUNT_WITHOUT_JETSTREAM, jetstream=True)
    client = await connect(server.url, user="plain", password="plain")

    with pytest.raises(StoreMisconfiguredError, match="account"):
        await Kv(client, kv_settings(), SodiumXKeyPair.generate()).check.check()
    await client.close()


async def test_a_user_without_permission_gets_an_answer_by_the_deadline(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(USER_WITHOUT_PERMISSION, jetstream=True)
    client = await connect(server.url, user="narrow", password="narrow")
    kv = Kv(client, Hasty(**kv_settings().model_dump(exclude_none=True)), SodiumXKeyPair.generate())

    with pytest.raises(StoreUnreachableError, match="may use"):
        await kv.check.check()
    await client.close()


async def test_a_stopped_server_is_an_upstream_error_by_the_deadline_and_back_after_it(
    fresh_nats_server: LocalNatsServer,
) -> None:
    client = await connect(fresh_nats_server.url)
    kv = Kv(client, kv_settings(), SodiumXKeyPair.generate())
    await kv.writer.put("key", "value")
    await fresh_nats_server.kill()
    clock = SystemClock()
    start = clock.monotonic()

    with pytest.raises(UpstreamError):
        await fetch(kv, "key", seconds=0.5)

    assert clock.monotonic() - start < 1.5
    await fresh_nats_server.restart()
    await fetch(kv, "key", seconds=20)
    await client.close()


async def test_a_closed_connection_is_an_upstream_error(kv: Kv) -> None:
    await kv.writer.put("key", "value")
    await kv.client.close()

    with pytest.raises(UpstreamError) as caught:
        await kv.store.get("key")

    assert caught.value.reason == "nats_failed"


async def test_neither_values_nor_seeds_show_in_logs_reprs_or_errors(
    kv: Kv, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    xkey = SodiumXKeyPair.generate()
    kv = replace(kv, xkey=xkey)
    caplog.set_level(logging.DEBUG)
    structlog.reset_defaults()
    shown: list[str] = []

    async def show(call: Callable[[], object]) -> None:
        with pytest.raises((SecretsError, StoreMisconfiguredError)) as caught:
            await call()  # type: ignore[misc]  # each is a coroutine function
        for error in chain(caught.value):
            shown.extend((repr(error), str(error), repr(vars(error))))
            frames = traceback.TracebackException.from_exception(error)
            shown.extend(frames.format())

    with capture_logs() as events:
        await kv.writer.put("key", CANARY)
        await kv.writer.put("key", CANARY.encode() + b"\xff")
        wrong = replace(kv, xkey=SodiumXKeyPair.generate())
        await show(lambda: wrong.store.get("key"))
        await show(wrong.check.check)
        await show(lambda: kv.writer.put("key", CANARY + "x" * kv.client.max_payload))
        await show(lambda: kv.writer.put("key", CANARY + "\ud800"))
        await show(lambda: kv.writer.put("bad key", CANARY))
        secret = await kv.store.get("key")
        shown.extend(map(repr, (secret, kv.store, kv.writer, kv.check, await kv.catalog.keys())))
        shown.extend(map(repr, await kv.catalog.history("key")))

    everything = "\n".join((*shown, repr(events), caplog.text, *capsys.readouterr()))
    assert CANARY not in everything
    assert xkey.seed_text() not in everything


def chain(error: BaseException | None) -> list[BaseException]:
    """Return the error with every context and cause that travels with it."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


async def stored_values(kv: Kv, kv_key: str) -> list[bytes]:
    bucket = await kv.jetstream.key_value(kv.config.bucket)
    return [entry.value or b"" for entry in await bucket.history(kv_key)]
