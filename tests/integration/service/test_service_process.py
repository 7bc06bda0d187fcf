"""The whole service as a process: started, asked, stopped, started again."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import nats
import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.system.clock import SystemClock
from domain.model.errors import SecretNotFound, Unauthorized, UpstreamError
from ports.transport import ChannelError
from tests.support.environments import new_xkey_seed
from tests.support.infisical_lockout import LoginLockout
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from pathlib import Path

    from nats.aio.msg import Msg

    from adapters.nats_kv.writer import NatsKvSecretWriter
    from tests.integration.conftest import StartNatsServer
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]


async def until_one_hangs(infisical: InfisicalServer) -> None:
    for _ in range(1000):
        if not infisical.breaks:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no read ever came")


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


async def test_a_host_gets_a_secret_from_infisical(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    version = infisical.model.put("API_KEY", "from infisical")

    async with ServiceProcess(infisical_settings, tmp_path):
        secret = await host.get("API_KEY")

    assert (secret.value.reveal(), secret.version) == ("from infisical", version)


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


async def test_a_second_signal_ends_it_at_once(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(infisical_settings, tmp_path) as service:
        await host.client.server_xkey()
        infisical.breaks.append(Break.HANG)
        asked = asyncio.create_task(host.get("SLOW"))
        await until_one_hangs(infisical)
        service.signal(signal.SIGINT)
        await service.wait_for("service.stopping")
        service.signal(signal.SIGINT)
        code = await service.exit_code()
        asked.cancel()

    assert code == 128 + signal.SIGINT


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


async def test_a_replica_with_another_key_refuses_to_start(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    other = nats_kv_settings | {"SERVER_XKEY_SEED_FILE": "", "SERVER_XKEY_SEED": new_xkey_seed()}

    async with ServiceProcess(nats_kv_settings, tmp_path):
        code, replica = await run_to_its_end(other, tmp_path)

    assert code == 1
    assert "give all replicas the same" in replica.logged("service.failed")[0]["advice"]


async def test_wrong_settings_end_it_with_code_2_and_are_all_listed(tmp_path: Path) -> None:
    settings = {
        "NATS_URL": "ftp://canary",
        "MAX_IN_FLIGHT": "canary",
        "NATS_TOKEN": "canary",
        "NATS_USER": "canary",
    }

    code, service = await run_to_its_end(settings, tmp_path)

    assert code == 2
    for name in (
        "NATS_URL",
        "MAX_IN_FLIGHT",
        "NATS_PASSWORD",
        "NATS_USER, NATS_TOKEN",
        "INFISICAL_CLIENT_ID",
        "INFISICAL_CLIENT_SECRET",
        "INFISICAL_PROJECT_ID",
    ):
        assert f"  - {name} " in service.output
    assert "canary" not in service.output


async def test_a_key_file_that_cannot_be_used_ends_it_with_code_2(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "server.seed").write_text("canary")

    code, service = await run_to_its_end(nats_kv_settings, tmp_path)

    assert code == 2
    assert "SERVER_XKEY_SEED_FILE" in service.output
    assert "canary" not in service.output


async def test_a_nats_server_that_is_not_there_ends_it_with_code_1(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    code, service = await run_to_its_end(
        nats_kv_settings | {"NATS_URL": "nats://127.0.0.1:1"}, tmp_path
    )

    assert code == 1
    advice = service.logged("service.failed")[0]["advice"]
    assert advice.startswith("Failed to connect to NATS at nats://127.0.0.1:1")


async def test_wrong_infisical_credentials_leave_it_not_ready_and_never_lock_the_identity(
    infisical_settings: Settings, tmp_path: Path, infisical: InfisicalServer
) -> None:
    lockout = infisical.model.lockout = LoginLockout(SystemClock().monotonic)
    wrong = infisical_settings | {"INFISICAL_CLIENT_SECRET": "canary-wrong"}

    async with ServiceProcess(wrong, tmp_path, ready="nats.listening") as service:
        advice = service.logged("service.not_ready")[0]["advice"]
        assert await service.stop() == 0

    assert "Failed to authenticate with Infisical" in advice
    assert len(infisical.model.logins) <= 2
    assert lockout.times_locked == 0
    assert "canary" not in service.output


async def test_while_infisical_is_away_requests_get_typed_errors_and_it_recovers_by_itself(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")
    infisical.model.put("OTHER", "value")
    infisical.login_breaks.extend([Break.CLOSE] * 1000)
    settings = infisical_settings | {"REQUEST_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path, ready="nats.listening") as service:
        assert service.logged("service.not_ready")
        with pytest.raises(UpstreamError):
            await host.get("KEY")
        infisical.login_breaks.clear()
        await service.wait_for("service.ready")
        # For a moment, the failure of the first is remembered.
        secret = await host.get("OTHER")

    assert secret.value.reveal() == "value"


async def test_it_outlives_a_restart_of_the_nats_server(
    start_nats_server: StartNatsServer, infisical_settings: Settings, tmp_path: Path
) -> None:
    server = await start_nats_server()
    settings = infisical_settings | {"NATS_URL": server.url}

    async with ServiceProcess(settings, tmp_path) as service:
        await server.restart()
        await service.wait_for("nats.reconnected")
        assert await service.stop() == 0


async def test_it_can_be_stopped_while_it_is_starting(
    infisical_settings: Settings, tmp_path: Path, infisical: InfisicalServer
) -> None:
    infisical.login_breaks.extend([Break.HANG] * 1000)

    service = ServiceProcess(infisical_settings, tmp_path, ready="nats.connected")
    async with service:
        async with asyncio.timeout(5):
            assert await service.stop() == 0

    assert not service.logged("service.ready")
    assert not service.logged("nats.listening")


async def test_the_process_is_hardened_before_anything_else(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "value")

    async with ServiceProcess(nats_kv_settings | {"LOCK_MEMORY": "true"}, tmp_path) as service:
        assert (await host.get("KEY")).value.reveal() == "value"

    assert service.records[0]["event"] == "process.hardened"
    assert service.records[0]["core_dumps_off"] is True
    assert service.records[0]["memory_lock"] in {"locked", "limited", "refused", "unsupported"}
