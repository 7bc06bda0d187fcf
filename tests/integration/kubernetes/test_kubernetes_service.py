"""The whole service on Kubernetes, as operators run it: hosts ask over NATS."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import nats.errors
import pytest
import pytest_asyncio

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from domain.model.errors import PolicyError, SecretNotFound, Unauthorized
from domain.model.policy_properties import PROPERTIES_TYPE
from tests.support.admin_pages import Pages
from tests.support.free_ports import neighbouring_ports
from tests.support.host import Host, connected_host
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import ACCOUNT, MESSAGE, TOKEN, Right
from tests.support.kubernetes_server import KubernetesServer
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

Settings = dict[str, str]
PATIENCE = 10.0


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[KubernetesServer]:
    async with KubernetesServer() as server:
        yield server


@pytest.fixture
def settings(
    cluster: KubernetesServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> Settings:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    return {
        "SECRET_STORE": "kubernetes",
        "BACKEND_NAME": "infisical",
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "SERVER_XKEY_SEED_FILE": str(tmp_path / "server.seed"),
        "KUBERNETES_API_URL": cluster.url,
        "KUBERNETES_TOKEN_FILE": str(token),
        "KUBERNETES_NAMESPACE": "shop",
        # As every pod has them for its services; none of them is a setting.
        "KUBERNETES_PORT": "tcp://10.0.0.1:443",
        "KUBERNETES_PORT_443_TCP": "tcp://10.0.0.1:443",
        "KUBERNETES_PORT_443_TCP_ADDR": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    }


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix) as connected:
        yield connected


def policy(**properties: str) -> str:
    return json.dumps({"type": PROPERTIES_TYPE, "properties": properties})


async def test_manifests_of_secrets_kubernetes_are_served_as_they_are(
    settings: Settings, tmp_path: Path, host: Host, cluster: KubernetesServer
) -> None:
    values: dict[str, str | bytes] = {"text": "pässwörd", "binary": b"\xff\x00\xfe", "empty": ""}
    cluster.model.put("shop", "db", values)
    cluster.model.put("pay", "db", {"text": "other"})
    given = settings | {"KUBERNETES_ALLOWED_NAMESPACES": "pay"}

    async with ServiceProcess(given, tmp_path) as service:
        for field, value in values.items():
            secret = await host.get("db", field=field, policy=policy(namespace="shop"))
            assert secret.value.reveal() == value
        paid = await host.get("db", field="text", policy=policy(namespace="pay"))
        with pytest.raises(PolicyError):
            await host.get("db", field="text", policy=policy(namespace="kube-system"))
        with pytest.raises(PolicyError):
            await host.get("db", field="text", policy=policy(impersonate="admin"))
        with pytest.raises(SecretNotFound):
            await host.get("db", field="absent")
        cluster.model.rights.clear()
        with pytest.raises(Unauthorized):
            await host.get("other", field="text")
        await service.stop()

    assert paid.value.reveal() == "other"
    for shown in (TOKEN, MESSAGE, ACCOUNT, "pässwörd"):
        assert shown not in service.output


async def test_a_large_secret_is_a_typed_error(
    settings: Settings, tmp_path: Path, host: Host, cluster: KubernetesServer
) -> None:
    cluster.model.put("shop", "big", {"value": "x" * 1_048_576})

    async with ServiceProcess(settings, tmp_path):
        with pytest.raises(Exception, match="raise the transport's limit"):
            await host.get("big", field="value")


async def test_a_change_ends_what_every_replica_has_cached_and_is_announced(
    settings: Settings, tmp_path: Path, host: Host, cluster: KubernetesServer, nats_url: str
) -> None:
    cluster.model.put("shop", "db", {"password": "old"})
    watching = settings | {"KUBERNETES_WATCH": "true", "CACHE_TTL_SECONDS": "600"}
    subject = f"{settings['NATS_SUBJECT_PREFIX']}.events.infisical.changed"

    async with (
        ServiceProcess(watching, tmp_path) as one,
        ServiceProcess(watching | {"WORKERS": "2"}, tmp_path) as other,
        NatsConnection(NatsSettings(urls=(nats_url,)), SystemClock()) as connection,
    ):
        events = await connection.client.subscribe(subject)
        await connection.client.flush()
        await one.wait_for("kubernetes.watch_live")
        await other.wait_for("kubernetes.watch_live", count=2)
        for key, field in (("db", "password"), ("db/password", None)):
            await asyncio.gather(*(host.get(key, field=field) for _ in range(40)))
        cluster.model.put("shop", "db", {"password": "new"})
        event = json.loads((await events.next_msg(PATIENCE)).data)
        served = await asyncio.gather(
            *(host.get("db", field="password") for _ in range(40)),
            *(host.get("db/password") for _ in range(40)),
        )
        again = [json.loads(message.data)["key"] async for message in _more(events)]

    assert again == []
    assert {secret.value.reveal() for secret in served} == {"new"}
    assert (event["key"], event["scope"], event["replicas"]) == ("/db", {"namespace": "shop"}, 3)


async def _more(events: Subscription) -> AsyncIterator[Msg]:
    """Yield what arrives until nothing has for a while."""
    with suppress(nats.errors.TimeoutError):
        while True:
            yield await events.next_msg(1.5)


async def test_a_watch_that_is_down_is_shown_and_disturbs_nobody(
    settings: Settings, tmp_path: Path, host: Host, cluster: KubernetesServer
) -> None:
    cluster.model.put("shop", "db", {"password": "value"})
    pages = Pages(f"127.0.0.1:{neighbouring_ports()}")
    given = settings | {"KUBERNETES_WATCH": "true", "ADMIN_ADDR": pages.address}

    async with ServiceProcess(given, tmp_path) as service:
        await service.wait_for("kubernetes.watch_live")
        cluster.model.rights = {Right(ACCOUNT, "get")}
        cluster.end_watches()
        await service.wait_for("kubernetes.watch_failed")
        await asyncio.sleep(2.2)
        ready = await pages.get("/readyz")
        metrics = await pages.get("/metrics")
        secret = await host.get("db", field="password")

    assert secret.value.reveal() == "value"
    assert ready.status_code == 200
    assert "RBAC denies list or watch" in ready.text
    assert 'wasmcloud_secrets_kubernetes_watches{state="down"} 1.0' in metrics.text


async def test_a_missing_right_stops_the_start_with_the_role_to_apply(
    settings: Settings, tmp_path: Path, cluster: KubernetesServer
) -> None:
    cluster.model.rights = {Right(ACCOUNT, "get")}

    code, process = await run_to_its_end(settings | {"KUBERNETES_WATCH": "true"}, tmp_path)

    assert code != 0
    assert "verbs: [get, list, watch]" in process.output
    assert "kind: RoleBinding" in process.output


async def test_an_empty_token_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")

    code, process = await run_to_its_end(settings, tmp_path)

    assert code != 0
    assert "names a file that is empty" in process.output


async def test_a_stale_answer_is_marked_in_the_audit_trail(
    settings: Settings, tmp_path: Path, host: Host, cluster: KubernetesServer
) -> None:
    cluster.model.put("shop", "db", {"password": "value"})
    given = settings | {"KUBERNETES_STALE_READS": "true"}

    async with ServiceProcess(given, tmp_path) as service:
        cluster.model.faults = [
            lambda call: None if "resourceVersion" in call.query else Result(504, b"")
        ] * 50
        secret = await host.get("db", field="password")
        audited = await service.wait_for("secret_request", operation="get")

    assert secret.value.reveal() == "value"
    assert audited["served_from"] == "stale"
