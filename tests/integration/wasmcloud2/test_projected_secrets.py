"""Secrets that `project` and `exec` bring to a released host, as components there see them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.support.command_line import CommandLine
from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.waiting import until, until_awaited
from tests.support.wasmcloud2.host import WashHost, ask
from tests.support.wasmcloud2.tools import needs_wash
from tests.support.wasmcloud2.workload import Workload, secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.wasmcloud2.registry import WasmRegistry

pytestmark = needs_wash

NO_ENTRY = b"error open 020"
"""wasi:filesystem's error code `no-entry`."""


@pytest_asyncio.fixture
async def kv(fresh_nats_server: LocalNatsServer, tmp_path: Path) -> AsyncIterator[KvSecrets]:
    """A bucket that holds `db` and `token`; every workload of "shop" may have all of it."""
    async with KvSecrets(fresh_nats_server.url, tmp_path) as bucket:
        await bucket.put("db", "s3cr3t-db-1")
        await bucket.put("token", "s3cr3t-token")
        yield bucket


def agent(kv: KvSecrets, folder: Path) -> ServiceProcess:
    """Return an agent that projects `db` and `token` for shop/cart into `folder`/cart."""
    config = folder / "project.yaml"
    directory = {
        "path": str(folder / "cart"),
        "tmpfs": "any",
        "consumer": {"namespace": "shop", "workload": "cart"},
        "files": {"db": {"key": "db"}, "token": {"key": "token"}},
    }
    config.write_text(json.dumps({"version": 1, "directories": [directory]}), "utf-8")
    return ServiceProcess(kv.settings, folder, arguments=("bootstrap.cli", "project", str(config)))


async def test_a_running_component_sees_a_mounted_secret_change_and_go(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    kv: KvSecrets,
    tmp_path: Path,
) -> None:
    workload = Workload(
        wasm_registry.image("reader"),
        "cart",
        interfaces=(secrets(),),
        mounts={"/secrets": str(tmp_path / "cart")},
    )

    async def said() -> bytes:
        return await ask(operator, "cart", "file /secrets/db")

    async with (
        agent(kv, tmp_path),
        WashHost(operator, tmp_path / "host", fresh_nats_server.url) as host,
    ):
        assert (await host.start_workload("one", workload))[0] == "RUNNING"
        assert await said() == b"file s3cr3t-db-1"

        await kv.put("db", "s3cr3t-db-2")
        await kv.flush()
        await until_awaited(said, lambda found: found == b"file s3cr3t-db-2")

        kv.grant("/token")
        await until_awaited(said, lambda found: found == NO_ENTRY)
        assert await ask(operator, "cart", "file /secrets/token") == b"file s3cr3t-token"
        # The component was never started again.
        assert (await host.workload_status("one"))[0] == "RUNNING"
    assert "s3cr3t" not in host.output


async def test_a_directory_source_is_read_when_the_host_starts_and_only_then(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    kv: KvSecrets,
    tmp_path: Path,
) -> None:
    workload = Workload(wasm_registry.image("reader"), "cart", interfaces=(secrets(),))
    source = f"secrets: {{cart: {{dir: {tmp_path / 'cart'}}}}}\n"
    plugin = "host: {plugins: [{id: wasmcloud-secrets, secretFrom: [cart]}]}\n"

    async def started() -> tuple[WashHost, bytes]:
        host = WashHost(operator, tmp_path / "host", fresh_nats_server.url)
        host.configure(source + plugin)
        await host.__aenter__()
        assert (await host.start_workload("one", workload))[0] == "RUNNING"
        return host, await ask(operator, "cart", "secret db")

    async with agent(kv, tmp_path):
        host, first = await started()
        await kv.put("db", "s3cr3t-db-2")
        await kv.flush()
        projected = tmp_path / "cart" / "db"
        await until(lambda: projected.read_bytes() == b"s3cr3t-db-2")
        await host.stop_workload("one")
        await host.start_workload("two", workload)
        again = await ask(operator, "cart", "secret db")
        await host.__aexit__()
        host, restarted = await started()
        await host.__aexit__()

    assert (first, again, restarted) == (
        b"string s3cr3t-db-1",
        b"string s3cr3t-db-1",
        b"string s3cr3t-db-2",
    )


async def test_labelled_secrets_are_bound_as_the_generated_configuration_says(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    kv: KvSecrets,
    tmp_path: Path,
) -> None:
    kv.grant("/db")
    image = wasm_registry.image("labelled")
    async with agent(kv, tmp_path):
        code, made, err = await CommandLine(kv.settings, tmp_path).run(
            "v2", "host-config", str(tmp_path / "project.yaml")
        )
        assert code == 0, err
        assert "token of shop/cart has no binding: no rule allows it (key_not_granted)" in err
        host = WashHost(operator, tmp_path / "host", fresh_nats_server.url)
        host.configure(made.decode())
        async with host:
            bound = Workload(image, "bound", interfaces=(secrets("secret", name="db"),))
            assert (await host.start_workload("one", bound))[0] == "RUNNING"
            assert await ask(operator, "bound", "") == b"string s3cr3t-db-1"

            foreign = Workload(image, "foreign", interfaces=(secrets("secret", name="token"),))
            state, message = await host.start_workload("two", foreign)
            assert state == "ERROR"
            assert "`token` is not among them" in message

            own = secrets("secret", name="db", config={"db": "another"})
            state, message = await host.start_workload(
                "three", Workload(image, "own", interfaces=(own,))
            )
            assert state == "ERROR"
            assert "which belong to the operator" in message

            every = Workload(wasm_registry.image("reader"), "every", interfaces=(secrets(),))
            await host.start_workload("four", every)
            assert await ask(operator, "every", "secret db") == b"error not-found"

            # What the text warns of: the host asks for no more than the binding's name.
            other = Workload(
                image, "other", "thief", "elsewhere", interfaces=(secrets("secret", name="db"),)
            )
            await host.start_workload("five", other)
            assert await ask(operator, "other", "") == b"string s3cr3t-db-1"
    assert "A binding is no grant." in made.decode()


async def test_a_host_that_exec_runs_has_the_secret_from_its_environment(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    kv: KvSecrets,
    tmp_path: Path,
) -> None:
    who = ("--namespace", "shop", "--workload", "cart", "--map", "db=db")
    host = WashHost(
        operator,
        tmp_path / "host",
        fresh_nats_server.url,
        environment=kv.settings | {"PYTHONPATH": str(ROOT)},
        wrapper=(sys.executable, "-m", "bootstrap.cli", "exec", *who, "--"),
    )
    host.configure(
        "secrets: {cart: {fromEnv: [db]}}\n"
        "host: {plugins: [{id: wasmcloud-secrets, secretFrom: [cart]}]}\n"
    )
    async with host:
        await host.start_workload(
            "one", Workload(wasm_registry.image("reader"), "cart", interfaces=(secrets(),))
        )
        assert await ask(operator, "cart", "secret db") == b"string s3cr3t-db-1"
    assert await host.ended() == 0
    assert "s3cr3t" not in host.output
