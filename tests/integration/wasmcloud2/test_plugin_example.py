"""The example plug-in: built, refused by the released host, and its way to the service there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.support.certificates import Authority
from tests.support.free_ports import neighbouring_ports
from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ServiceProcess
from tests.support.wasmcloud2 import tools
from tests.support.wasmcloud2.components import build_component
from tests.support.wasmcloud2.host import WashHost, ask
from tests.support.wasmcloud2.registry import WasmRegistry
from tests.support.wasmcloud2.tools import needs_wash
from tests.support.wasmcloud2.workload import Workload

if TYPE_CHECKING:
    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer

pytestmark = needs_wash

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "wasmcloud2-plugin"
ASKER = Path(__file__).resolve().parents[2] / "support" / "wasmcloud2" / "asker"


def test_the_plug_in_exports_what_workloads_import_and_the_host_s_hooks(tmp_path: Path) -> None:
    built = tmp_path / "plugin.wasm"
    built.write_bytes(build_component("plugin", EXAMPLE))

    command = (tools.wasm_tools(), "component", "wit", str(built))
    world = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    assert set(re.findall(r"^  export (\S+);", world, re.MULTILINE)) == {
        "wasmcloud:host/workload-lifecycle@0.1.3",
        "wasmcloud:secrets/reveal@2.1.0",
        "wasmcloud:secrets/store@2.1.0",
    }


async def test_the_released_host_refuses_it_and_says_what_build_it_needs(
    operator: Client, fresh_nats_server: LocalNatsServer, tmp_path: Path
) -> None:
    built = tmp_path / "plugin.wasm"
    built.write_bytes(build_component("plugin", EXAMPLE))
    configuration = (EXAMPLE / "config.yaml").read_text("utf-8")
    assert yaml.safe_load(configuration)["host"]["plugins"][0]["file"] == "plugin.wasm"
    host = WashHost(operator, tmp_path / "host", fresh_nats_server.url)
    host.configure(configuration.replace("file: plugin.wasm", f"file: {built}"))

    await host.start()

    assert await host.ended() != 0
    assert "host-component-plugins" in host.output


async def test_its_way_to_the_service_holds_in_the_released_host(
    operator: Client, fresh_nats_server: LocalNatsServer, tmp_path: Path
) -> None:
    servers, hosts = Authority(tmp_path / "servers"), Authority(tmp_path / "hosts")
    server = servers.issue("server", "DNS:localhost")
    client = hosts.issue("host", "URI:wasmcloud-host://prod/host-1")
    authority = f"localhost:{neighbouring_ports(1)}"
    settings = {
        "LOG_FORMAT": "json",
        "V2_PLUGIN_ADDR": authority,
        "V2_PLUGIN_TLS_CERT_FILE": str(server.chain),
        "V2_PLUGIN_TLS_KEY_FILE": str(server.key),
        "V2_PLUGIN_CLIENT_CA_FILE": str(hosts.file),
    }
    host = WashHost(
        operator,
        tmp_path / "host",
        fresh_nats_server.url,
        arguments=(
            *("--http-client-ca-path", str(servers.file)),
            *("--http-client-cert-path", str(client.chain)),
            *("--http-client-key-path", str(client.key)),
        ),
    )
    with WasmRegistry({"asker": build_component("asker", ASKER)}) as registry:
        asker = Workload(
            registry.image("asker"), "asker.one", allowed_hosts=(f"https://{authority}",)
        )
        async with KvSecrets(fresh_nats_server.url, tmp_path) as kv:
            await kv.put("cart/db=1", "välue\n")
            kv.grant("/cart/**", workload="cart")
            endpoint = ServiceProcess(
                kv.settings | settings,
                tmp_path,
                arguments=("bootstrap.cli", "v2", "plugin-endpoint"),
            )
            async with host:
                assert (await host.start_workload("one", asker))[0] == "RUNNING", host.output
                asked = f"{authority}\nshop\ncart\nsecret://cart/db%3D1"
                away = await ask(operator, "asker.one", asked)
                async with endpoint:
                    given = await ask(operator, "asker.one", asked)
                    refused = await ask(operator, "asker.one", asked.replace("cart\n", "a&b\n"))

    assert away == b"000 the service was not reached, or TLS failed"
    assert given == "200 välue\n".encode()
    assert refused.startswith(b"403 Unauthorized: ")
    records = endpoint.logged("secret_request")
    assert [record["workload_name"] for record in records] == ["cart", "a&b"]
