"""Reads that fail: wrong keys, no permission, servers that are gone; nothing secret shows."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.system.clock import SystemClock
from domain.model.errors import SecretsError, UpstreamError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.integration.nats_kv.kv_under_test import (
    ACCOUNT_WITHOUT_JETSTREAM,
    CANARY,
    USER_WITHOUT_PERMISSION,
    Hasty,
    Kv,
    chain,
    connect,
    fetch,
    stored_values,
)
from tests.support.environments import kv_settings
from tests.support.refused import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


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

    with refused(UpstreamError, "nats_failed"):
        await kv.store.get("key")


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
