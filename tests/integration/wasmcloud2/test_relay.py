"""The relay between an operator and a released host, in the accounts that are shipped."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from bootstrap.local.nats_server import LocalNatsServer
from tests.integration.wasmcloud2.relay_stage import CERTIFICATES, CONF, Stage, connect
from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ServiceProcess
from tests.support.wasmcloud2.host import ask
from tests.support.wasmcloud2.tools import needs_wash
from tests.support.wasmcloud2.workload import Workload, secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.wasmcloud2.registry import WasmRegistry


pytestmark = needs_wash


@pytest_asyncio.fixture
async def stage(
    fresh_nats_server: LocalNatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """The shipped accounts with TLS; the secrets `db` and `token`; a grant to namespace shop."""
    for name, file in (("CERT", "server.pem"), ("KEY", "server-key.pem"), ("CA", "ca.pem")):
        monkeypatch.setenv(f"NATS_TLS_{name}", str(CERTIFICATES / file))
    async with AsyncExitStack() as opened:
        server = await opened.enter_async_context(
            LocalNatsServer(config=CONF.read_text(), jetstream=True)
        )
        kv = await opened.enter_async_context(KvSecrets(fresh_nats_server.url, tmp_path))
        await kv.put("db", "s3cr3t-db-1")
        await kv.put("token", "s3cr3t-token")
        url = server.url.replace("nats://", "tls://")
        operator, data = (
            await connect(url, "wasmcloud-operator"),
            await connect(url, "wasmcloud-data"),
        )
        for client in (operator, data):
            opened.push_async_callback(client.close)
        yield Stage(url, kv, tmp_path, operator, data)


def cart(registry: WasmRegistry, subject: str = "cart", **changes: Any) -> Workload:
    """Return a workload that has both secrets."""
    return Workload(
        registry.image("reader"),
        subject,
        **{
            "name": "cart",
            "namespace": "shop",
            "interfaces": (secrets(config={"db": "secret://db", "plain": "as it is"}),),
            "environment": {"TOKEN": "secret://token?version=2"},
            **changes,
        },
    )


async def test_a_workload_gets_its_secrets_and_another_a_readable_refusal(
    stage: Stage, wasm_registry: WasmRegistry
) -> None:
    async with stage.relay() as relay, stage.host() as host:
        started = await host.start_workload("one", cart(wasm_registry))
        said = [
            await ask(stage.data, "cart", command)
            for command in ("secret db", "secret plain", "env TOKEN")
        ]
        refused = await host.start_workload("two", cart(wasm_registry, "other", namespace="mail"))
        misplaced = await host.start_workload("three", cart(wasm_registry, "secret://db"))
        status = await host.workload_status("one")
        stopped = await host.stop_workload("one")

    assert started == ("RUNNING", "Workload started successfully")
    assert said == [b"string s3cr3t-db-1", b"string as it is", b"env s3cr3t-token"]
    assert refused[0] == "ERROR"
    assert refused[1].startswith("wasmcloud-secrets: secrets were refused. witWorld.")
    assert "Unauthorized: No rule lets this caller have this secret" in refused[1]
    assert "localResources.config.subscriptions, where none is filled in" in misplaced[1]
    assert (status[0], stopped[0]) == ("RUNNING", "STOPPING")
    events = relay.logged("secret_request")
    assert [(event["workload_namespace"], event["outcome"]) for event in events].count(
        ("shop", "answered")
    ) == 2
    for text in (relay.output, host.output, *refused, *misplaced):
        assert "s3cr3t" not in text


async def test_the_shipped_accounts_keep_operator_hosts_and_workloads_apart(
    stage: Stage, wasm_registry: WasmRegistry
) -> None:
    heard: list[str] = []

    async def hear(message: Any) -> None:
        heard.append(message.subject)

    service = await connect(stage.url, "secrets-service")
    async with stage.relay(), stage.host() as host:
        for client in (stage.data, service):
            listening = await client.subscribe("runtime.>", cb=hear)
            await client.flush()
            workload = cart(wasm_registry, f"cart{len(heard)}")
            assert (await host.start_workload(host.id, workload))[0] == "RUNNING"
            await host.stop_workload(host.id)
            await client.flush()
            await listening.unsubscribe()
            with pytest.raises(NoRespondersError):
                await client.request(f"runtime.host.{host.id}.workload.status", b"{}", timeout=5)
        assert heard == []
        assert "permission" not in host.output.lower()
    await service.close()


async def test_a_host_without_its_relay_is_out_of_reach(stage: Stage) -> None:
    async with stage.relay() as relay, stage.host() as host:
        assert (await host.workload_status("none"))[0] == "NOT_FOUND"
        with pytest.raises(NoRespondersError):
            await stage.operator.request("runtime.host.nosuch.workload.status", b"{}", timeout=5)
        await relay.__aexit__()
        with pytest.raises(NoRespondersError):
            await stage.operator.request(f"runtime.host.{host.id}.heartbeat", b"", timeout=5)
        async with stage.relay():
            # A host that started while the relay was away is there as any other.
            assert (await host.workload_status("none"))[0] == "NOT_FOUND"


async def test_a_changed_secret_rolls_its_workload(
    stage: Stage, wasm_registry: WasmRegistry
) -> None:
    async with stage.relay(RELAY_ROLL_ON_CHANGE="true") as relay, stage.host() as host:
        await host.start_workload("one", cart(wasm_registry, "one"))
        plain = cart(
            wasm_registry, "two", interfaces=(secrets(config={"db": "x"}),), environment={}
        )
        await host.start_workload("two", plain)
        began = asyncio.get_running_loop().time()
        await stage.kv.put("db", "s3cr3t-db-2")
        await stage.kv.flush()
        async with asyncio.timeout(20):
            while True:
                if await stage.said("one", "secret db") == b"string s3cr3t-db-2":
                    break
                await asyncio.sleep(0.05)
        took = asyncio.get_running_loop().time() - began
        assert await stage.said("two", "secret db") == b"string x"
        await relay.wait_for("relay.rolled")
        assert len(relay.logged("relay.rolling")) == 1
        assert (await host.workload_status("one"))[0] == "RUNNING"
    assert took < 10
    assert "s3cr3t" not in relay.output + host.output


async def test_two_replicas_share_the_work(stage: Stage, wasm_registry: WasmRegistry) -> None:
    async with stage.relay() as first, stage.relay() as second, stage.host() as host:
        subscription = await stage.operator.subscribe("runtime.operator.heartbeat.*")
        for number in range(8):
            started = await host.start_workload(f"w{number}", cart(wasm_registry, f"w{number}"))
            assert started[0] == "RUNNING"
        assert {await stage.said(f"w{n}", "secret db") for n in range(8)} == {b"string s3cr3t-db-1"}
        async with asyncio.timeout(40):
            # Each heartbeat comes once, whichever replica passes it on.
            first_beat = await subscription.next_msg(timeout=20)
            with pytest.raises(NatsTimeoutError):
                await subscription.next_msg(timeout=3)
        assert host.id in first_beat.subject
    reads = [len(relay.logged("secret_request")) for relay in (first, second)]
    assert sum(reads) == 16
    assert all(reads)


async def test_one_account_for_both_sides_is_refused(stage: Stage) -> None:
    operator = {
        f"RELAY_HOSTS_TLS_{part}_FILE": str(CERTIFICATES / f"wasmcloud-data{end}.pem")
        for part, end in (("CERT", ""), ("KEY", "-key"))
    }
    same = operator | {name.replace("HOSTS", "OPERATOR"): path for name, path in operator.items()}
    relay = stage.relay(**same)
    await relay.start()

    assert await relay.exit_code() == 1
    assert "lead to the same subjects" in relay.output


async def test_the_workload_commands_go_through_the_relay(
    stage: Stage, wasm_registry: WasmRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "cart.json"
    file.write_text(json.dumps(cart(wasm_registry).start_request("shop-cart")["workload"]))
    settings = {
        "RELAY_OPERATOR_URL": stage.url,
        "RELAY_OPERATOR_TLS_CA_FILE": str(CERTIFICATES / "ca.pem"),
        "RELAY_OPERATOR_TLS_CERT_FILE": str(CERTIFICATES / "wasmcloud-operator.pem"),
        "RELAY_OPERATOR_TLS_KEY_FILE": str(CERTIFICATES / "wasmcloud-operator-key.pem"),
    }

    async def run(*words: str) -> tuple[int, dict[str, str]]:
        command = ServiceProcess(
            settings, tmp_path, arguments=("bootstrap.cli", "workload", *words, "--json")
        )
        await command.start()
        async with asyncio.timeout(60):
            while True:
                if command.has_ended:
                    break
                await asyncio.sleep(0.1)
        code = await command.exit_code()
        return code, json.loads(command.output) if code != 2 else {}

    async with stage.relay(), stage.host() as host:
        started = await run("start", str(file))
        again = await run("start", str(file), "--host", host.id)
        replaced = await run("start", str(file), "--host", host.id, "--replace")
        said = await stage.said("cart", "secret db")
        running = await run("status", "shop-cart", "--host", host.id)
        stopped = await run("stop", "shop-cart", "--host", host.id)
        gone = await run("status", "shop-cart", "--host", host.id)

    assert (started[0], started[1]["host"], started[1]["state"]) == (0, host.id, "RUNNING")
    assert (again[0], again[1]["state"]) == (1, "ERROR")
    assert "already exists" in again[1]["message"]
    assert (replaced[0], said) == (0, b"string s3cr3t-db-1")
    assert [(code, found["state"]) for code, found in (running, stopped, gone)] == [
        (0, "RUNNING"),
        (0, "STOPPING"),
        (1, "NOT_FOUND"),
    ]
