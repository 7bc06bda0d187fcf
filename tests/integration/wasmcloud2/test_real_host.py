"""What the other tests here build on: the released host, its components and its start requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.wasmcloud2.host import WashHost, ask
from tests.support.wasmcloud2.tools import needs_wash
from tests.support.wasmcloud2.workload import Workload, secrets

if TYPE_CHECKING:
    from pathlib import Path

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.wasmcloud2.registry import WasmRegistry

pytestmark = needs_wash


async def test_a_component_reveals_reads_files_and_variables(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    tmp_path: Path,
) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "token").write_bytes(b"from a file\xff\n")
    workload = Workload(
        wasm_registry.image("reader"),
        "reader.one",
        interfaces=(secrets(config={"db": "s3cr3t"}),),
        environment={"TOKEN": "from the environment"},
        mounts={"/secrets": str(mounted)},
    )
    commands = (
        "secret db",
        "secret other",
        "file /secrets/token",
        "file /secrets/none",
        "env TOKEN",
    )
    async with WashHost(operator, tmp_path / "host", fresh_nats_server.url) as host:
        started = await host.start_workload("one", workload)
        said = [await ask(operator, "reader.one", command) for command in commands]
        stopped = await host.stop_workload("one")

    assert started == ("RUNNING", "Workload started successfully")
    assert said == [
        b"string s3cr3t",
        b"error not-found",
        b"file from a file\xff\n",
        b"error open 020",
        b"env from the environment",
    ]
    assert stopped[0] == "STOPPING"


async def test_a_labelled_secret_is_bound_from_a_directory(
    operator: Client,
    fresh_nats_server: LocalNatsServer,
    wasm_registry: WasmRegistry,
    tmp_path: Path,
) -> None:
    (tmp_path / "db").write_text("s3cr3t", "utf-8")
    host = WashHost(operator, tmp_path / "host", fresh_nats_server.url)
    host.configure(f"""
secrets:
  payments: {{dir: {tmp_path}}}
host:
  plugins:
    - id: wasmcloud-secrets
      bindings:
        db: {{secretFrom: [payments]}}
""")
    labelled = Workload(
        wasm_registry.image("labelled"), "one", interfaces=(secrets("secret", name="db"),)
    )
    async with host:
        started = await host.start_workload("one", labelled)
        assert started[0] == "RUNNING", (started, host.output)
        said = await ask(operator, "one", "")

    assert said == b"string s3cr3t"
