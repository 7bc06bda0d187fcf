"""The endpoint for plug-ins of wasmCloud 2 hosts as a process, asked over TLS by certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from tests.support.certificates import Authority
from tests.support.free_ports import neighbouring_ports
from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.certificates import Certificate

CART = {"namespace": "shop", "workload": "cart", "reference": "secret://cart/db"}


class Stage:
    """A bucket, a host's authority, and the endpoint's settings."""

    def __init__(self, kv: KvSecrets, folder: Path) -> None:
        self.kv, self.folder = kv, folder
        self.hosts = Authority(folder / "hosts")
        self.servers = Authority(folder / "servers")
        self._own = self.servers.issue("server", "IP:127.0.0.1")
        self._port = neighbouring_ports()

    @property
    def settings(self) -> dict[str, str]:
        """What the endpoint runs on."""
        return self.kv.settings | {
            "LOG_FORMAT": "json",
            "ADMIN_ADDR": f":{self._port + 1}",
            "V2_PLUGIN_ADDR": f":{self._port}",
            "V2_PLUGIN_TLS_CERT_FILE": str(self._own.chain),
            "V2_PLUGIN_TLS_KEY_FILE": str(self._own.key),
            "V2_PLUGIN_CLIENT_CA_FILE": str(self.hosts.file),
        }

    def endpoint(self, **settings: str) -> ServiceProcess:
        """Return the process, yet to be started."""
        return ServiceProcess(
            self.settings | settings,
            self.folder,
            arguments=("bootstrap.cli", "v2", "plugin-endpoint"),
        )

    def host(self, *names: str) -> Certificate:
        """Issue a client certificate with these alternative names."""
        return self.hosts.issue("host", *names)

    async def get(
        self, certificate: Certificate | None, path: str = "/v1/secret", **changed: str
    ) -> tuple[int, str]:
        """Ask for the cart's secret, with what is changed; return status and body."""
        context = self.servers.client(certificate)
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=20) as client:
            answer = await client.get(
                f"https://127.0.0.1:{self._port}{path}", params=CART | changed
            )
        return answer.status_code, answer.text

    async def admin(self, page: str) -> httpx.Response:
        """Ask the listener for tools."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self._port + 1}/{page}")


@pytest_asyncio.fixture
async def stage(fresh_nats_server: LocalNatsServer, tmp_path: Path) -> AsyncIterator[Stage]:
    async with KvSecrets(fresh_nats_server.url, tmp_path) as kv:
        await kv.put("cart/db", "s3cr3t-value")
        kv.grant("/cart/db", "/cart/none", workload="cart")
        yield Stage(kv, tmp_path)


async def test_a_host_gets_what_the_rules_give_to_workloads_of_its_environment(
    stage: Stage,
) -> None:
    ours = stage.host("URI:wasmcloud-host://prod/host-1")
    async with stage.endpoint() as endpoint:
        answered = await stage.get(ours)
        named = await stage.get(ours, reference="secret://cart/none")
        other_workload = await stage.get(ours, workload="bill")
        elsewhere = await stage.get(stage.host("URI:wasmcloud-host://test/host-1"))
        malformed = await stage.get(ours, reference="cart/db")
        ready, metrics = await stage.admin("readyz"), (await stage.admin("metrics")).text

    assert answered == (200, "s3cr3t-value")
    assert named[0] == 404
    assert named[1].startswith("SecretNotFound: ")
    assert other_workload[0] == elsewhere[0] == 403
    assert other_workload[1].startswith("Unauthorized: ")
    assert malformed[0] == 400
    assert ready.json()["checks"]["front"]["ok"]
    assert 'operation="workload.read",outcome="answered"' in metrics
    assert "wasmcloud_secrets_plugin_requests_refused_total 1.0" in metrics
    records = endpoint.logged("secret_request", operation="workload.read")
    assert [record["outcome"] for record in records] == ["answered", *["refused"] * 3]
    assert [record["workload_environment"] for record in records] == [*["prod"] * 3, "test"]
    assert "s3cr3t-value" not in endpoint.output


@pytest.mark.parametrize("names", [(), ("DNS:prod",), ("URI:wasmcloud-host://prod",)])
async def test_a_certificate_that_names_no_host_gets_nothing(
    stage: Stage, names: tuple[str, ...]
) -> None:
    async with stage.endpoint() as endpoint:
        status, said = await stage.get(stage.host(*names))
        await endpoint.wait_for("plugin_endpoint.refused", reason="no_host_named")

    assert (status, "wasmcloud-host://ENVIRONMENT/HOST" in said) == (403, True)


async def test_without_a_certificate_of_the_hosts_authority_there_is_no_connection(
    stage: Stage,
) -> None:
    foreign = Authority(stage.folder / "foreign").issue("x", "URI:wasmcloud-host://prod/host-1")
    async with stage.endpoint():
        for certificate in (None, foreign):
            with pytest.raises(httpx.TransportError):
                await stage.get(certificate)


async def test_a_binary_secret_is_refused_and_a_store_that_is_down_is_said(
    stage: Stage, fresh_nats_server: LocalNatsServer
) -> None:
    await stage.kv.put("cart/db", b"\xff\xfe")
    ours = stage.host("URI:wasmcloud-host://prod/host-1")
    async with stage.endpoint(REQUEST_TIMEOUT_SECONDS="2"):
        binary = await stage.get(ours)
        await fresh_nats_server.stop()
        down = await stage.get(ours, reference="secret://cart/none")

    assert (binary[0], "as text" in binary[1]) == (400, True)
    assert (down[0], down[1].startswith("UpstreamError: ")) == (502, True)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"V2_PLUGIN_CLIENT_CA_FILE": "", "ACCESS_POLICY_FILE": ""}, "V2_PLUGIN_CLIENT_CA_FILE"),
        ({"ACCESS_POLICY_FILE": ""}, "ACCESS_POLICY_FILE is required"),
        ({"V2_PLUGIN_ADDR": "8443"}, "V2_PLUGIN_ADDR"),
        ({"WORKERS": "2"}, "WORKERS must be 1"),
    ],
)
async def test_settings_that_cannot_work_are_said_at_the_start(
    stage: Stage, settings: dict[str, str], named: str
) -> None:
    endpoint = stage.endpoint(**settings)
    await endpoint.start()

    assert await endpoint.exit_code() == 2
    assert named in endpoint.output


async def test_a_key_of_another_certificate_is_refused_without_its_text(stage: Stage) -> None:
    other: Any = stage.servers.issue("other", "IP:127.0.0.1")
    endpoint = stage.endpoint(V2_PLUGIN_TLS_KEY_FILE=str(other.key))
    await endpoint.start()

    assert await endpoint.exit_code() == 2
    assert "V2_PLUGIN_TLS_CERT_FILE, V2_PLUGIN_TLS_KEY_FILE are no certificate" in endpoint.output
    assert "PRIVATE KEY" not in endpoint.output
