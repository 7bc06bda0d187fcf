"""The whole service as a process: started, asked, stopped, started again."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import nats
import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from domain.model.errors import SecretNotFound, Unauthorized
from ports.transport import ChannelError
from tests.integration.service.hanging import until_one_hangs
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from nats.aio.msg import Msg

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.integration.conftest import StartNatsServer
    from tests.integration.service.looking import Settings
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer


async def test_a_host_gets_text_and_binary_from_nats_kv(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("payments/API_KEY", "päss ✓")
    await writer.put("payments/CERT", b"\x00\xff binary")

    async with ServiceProcess(nats_kv_settings, tmp_path) as service:
        text = await host.get("payments/API_KEY")
        binary = await host.get("payments/CERT")
        with pytest.raises(SecretNotFound):
            await host.get("payments/NOTHING")
        await service.wait_for("secret_request", count=4)

    assert text.value.reveal() == "päss ✓"
    assert binary.value.reveal() == b"\x00\xff binary"
    audited = [(r["operation"], r["outcome"]) for r in service.logged("secret_request")]
    assert audited == [
        ("server_xkey", "answered"),
        ("get", "answered"),
        ("get", "answered"),
        ("get", "refused"),
    ]


async def test_replies_to_its_own_requests_go_where_it_is_told(
    nats_kv_settings: Settings,
    tmp_path: Path,
    host: Host,
    writer: NatsKvSecretWriter,
    nats_url: str,
) -> None:
    await writer.put("KEY", "value")
    overheard: list[str] = []

    async def overhear(message: Msg) -> None:
        overheard.append(message.subject)

    async with await nats.connect(nats_url) as listener:
        await listener.subscribe("INBOX_OF_ITS_OWN.>", cb=overhear)
        await listener.flush()
        settings = nats_kv_settings | {"NATS_INBOX_PREFIX": "INBOX_OF_ITS_OWN"}
        async with ServiceProcess(settings, tmp_path):
            assert (await host.get("KEY")).value.reveal() == "value"
        await listener.flush()

    assert overheard


async def test_a_hundred_requests_at_once_each_get_their_own_answer(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    for number in range(10):
        await writer.put(f"key-{number}", f"value {number}")

    async with ServiceProcess(nats_kv_settings, tmp_path):
        await host.client.server_xkey()
        found = await asyncio.gather(*(host.get(f"key-{n % 10}") for n in range(100)))

    assert [secret.value.reveal() for secret in found] == [f"value {n % 10}" for n in range(100)]


async def test_an_entity_of_an_untrusted_issuer_is_refused(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("key", "value")
    trusted = SigningKey.generate(KeyKind.ACCOUNT).public
    async with ServiceProcess(nats_kv_settings | {"TRUSTED_ISSUERS": trusted}, tmp_path) as service:
        with pytest.raises(Unauthorized):
            await host.get("key")

    assert not service.logged("access.any_issuer")


async def test_a_request_in_flight_is_answered_before_the_service_ends(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("SLOW", "worth the wait")
    settings = infisical_settings | {"INFISICAL_READ_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path) as service:
        await host.client.server_xkey()
        infisical.breaks.append(Break.HANG)
        asked = asyncio.create_task(host.get("SLOW"))
        await until_one_hangs(infisical)
        service.signal(signal.SIGTERM)
        await service.wait_for("service.stopping")
        secret = await asked
        code = await service.exit_code()

    assert secret.value.reveal() == "worth the wait"
    assert code == 0
    with pytest.raises(ChannelError):
        await host.get("SLOW")


async def test_started_again_it_keeps_its_key_so_running_hosts_are_still_served(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("key", "value")
    async with ServiceProcess(nats_kv_settings, tmp_path) as first:
        before = await host.get("key")
        assert await first.stop() == 0

    async with ServiceProcess(nats_kv_settings, tmp_path):
        after = await host.get("key")

    assert before == after


async def test_a_replica_with_the_same_key_shares_the_work(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("key", "value")

    async with (
        ServiceProcess(nats_kv_settings, tmp_path) as first,
        ServiceProcess(nats_kv_settings, tmp_path) as second,
    ):
        await asyncio.gather(*(host.get("key") for _ in range(40)))

    answered = [len(replica.logged("secret_request")) for replica in (first, second)]
    # The second one asked the first for its key, and the host asked once, or more at the same time.
    assert sum(answered) >= 42
    assert min(answered) > 1


async def test_it_outlives_a_restart_of_the_nats_server(
    start_nats_server: StartNatsServer, infisical_settings: Settings, tmp_path: Path
) -> None:
    server = await start_nats_server()
    settings = infisical_settings | {"NATS_URL": server.url}

    async with ServiceProcess(settings, tmp_path) as service:
        await server.restart()
        await service.wait_for("nats.reconnected")
        assert await service.stop() == 0


async def test_the_process_is_hardened_before_anything_else(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(nats_kv_settings | {"LOCK_MEMORY": "true"}, tmp_path) as service:
        assert (await host.get("KEY")).value.reveal() == "value"

    assert service.records[0]["event"] == "process.hardened"
    assert service.records[0]["core_dumps_off"] is True
    assert service.records[0]["memory_lock"] in {"locked", "limited", "refused", "unsupported"}
