"""Where the server names no account, or another's, for the sender of a request."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import nats.errors
import pytest

from domain.model.errors import Unauthorized
from tests.integration.security.requester_rig import ENTITY, FORGERIES, forging
from tests.integration.security.roles import (
    SUBJECTS,
    asking_host,
    service_settings,
    store_secret,
)
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer
    from tests.support.host import Host


async def test_without_an_account_of_its_own_every_request_is_refused(
    start_nats_server: StartNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    server = await start_nats_server(OPEN, jetstream=True)
    await store_secret(server, tmp_path, "KEY", "value")
    settings = service_settings(server, tmp_path) | strict

    async with (
        ServiceProcess(settings, tmp_path) as service,
        asking_host(server, "host-a") as host,
    ):
        with pytest.raises(Unauthorized):
            await host.get("KEY", entity_token=ENTITY)

    assert service.logged("secret_request")[-1]["reason"] == "requester_unknown"


OPEN = """
authorization {
  users: [
    {user: backend, password: password-of-backend}
    {user: operator, password: password-of-operator}
    {user: host-a, password: password-of-host-a}
  ]
}
"""


async def test_inside_the_backends_own_account_a_forged_header_is_believed(
    start_nats_server: StartNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    """Not stopped: so NATS_REQUESTER_REQUIRED is for a backend that is alone in its account."""
    server = await start_nats_server(OPEN, jetstream=True)
    await store_secret(server, tmp_path, "KEY", "value")
    settings = service_settings(server, tmp_path) | strict

    async with (
        ServiceProcess(settings, tmp_path),
        asking_host(server, "host-a", channel=forging(FORGERIES[0])) as host,
    ):
        secret = await host.get("KEY", entity_token=ENTITY)

    assert secret.value.reveal() == "value"


async def test_an_import_without_share_names_the_account_but_no_user(
    start_nats_server: StartNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    """What the header says is the server's all the same; a grant by `users` cannot match."""
    server = await start_nats_server(UNSHARED, jetstream=True)
    await store_secret(server, tmp_path, "KEY", "value")
    settings = service_settings(server, tmp_path) | strict

    async with (
        ServiceProcess(settings, tmp_path) as service,
        asking_host(server, "host-a", channel=forging(FORGERIES[0])) as host,
    ):
        with pytest.raises(Unauthorized):
            await host.get("KEY", entity_token=ENTITY)

    record = service.logged("secret_request")[-1]
    assert (record["requester_account"], record.get("requester_user")) == ("LATTICE_A", None)
    assert record["reason"] == "user_differs"


UNSHARED = """
accounts {
  SECRETS {
    jetstream: enabled
    users: [
      {user: backend, password: password-of-backend}
      {user: operator, password: password-of-operator}
    ]
    exports: [{service: "wasmcloud.secrets.v1alpha1.infisical.>"}]
  }
  LATTICE_A {
    users: [{user: host-a, password: password-of-host-a}]
    imports: [{service: {account: SECRETS, subject: "wasmcloud.secrets.v1alpha1.infisical.>"}}]
  }
}
"""


async def test_an_import_alone_lets_a_rogue_client_of_the_account_hear_the_requests(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    """Why accounts.conf denies hosts the subscription: who hears a request can answer it."""
    server = await start_nats_server(UNSHARED, jetstream=True)
    await store_secret(server, tmp_path, "KEY", "value")
    heard = asyncio.Event()

    async def hear(_: object) -> None:
        heard.set()

    async with (
        ServiceProcess(service_settings(server, tmp_path), tmp_path),
        asking_host(server, "host-a") as rogue,
        asking_host(server, "host-a") as host,
    ):
        client = rogue.channel._client
        await client.subscribe(SUBJECTS.of("server_xkey"), cb=hear)
        await client.flush()
        await host.get("KEY", entity_token=ENTITY)
        async with asyncio.timeout(5):
            await heard.wait()


LEAVES = """
leafnodes {
  host: "127.0.0.1", port: LEAF_PORT
  authorization {users: [{user: leaf-b, password: password-of-leaf, account: LATTICE_B}]}
}
accounts {
  SECRETS {
    jetstream: enabled
    users: [
      {user: backend, password: password-of-backend}
      {user: operator, password: password-of-operator}
    ]
    exports: [{service: "wasmcloud.secrets.v1alpha1.infisical.>"}]
  }
  LATTICE_B {
    imports: [
      {service: {account: SECRETS, subject: "wasmcloud.secrets.v1alpha1.infisical.>"}, share: true}
    ]
  }
}
"""
LEAF = """
leafnodes {remotes: [{url: "nats-leaf://leaf-b:password-of-leaf@127.0.0.1:LEAF_PORT"}]}
"""


@pytest.mark.parametrize("headers", [{}, *FORGERIES[:2]])
async def test_whoever_is_behind_a_leaf_node_is_named_by_the_leaf_nodes_login(
    start_nats_server: StartNatsServer,
    tmp_path: Path,
    strict: dict[str, str],
    headers: dict[str, str],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    hub = await start_nats_server(LEAVES.replace("LEAF_PORT", port), jetstream=True)
    await store_secret(hub, tmp_path, "KEY", "value")
    leaf = await start_nats_server(LEAF.replace("LEAF_PORT", port))

    async with (
        ServiceProcess(service_settings(hub, tmp_path) | strict, tmp_path) as service,
        asking_host(leaf, "host-a", channel=forging(headers)) as host,
    ):
        await until_reachable(host)
        with pytest.raises(Unauthorized):
            await host.get("KEY", entity_token=ENTITY)

    record = service.logged("secret_request")[-1]
    assert (record["requester_account"], record["requester_user"]) == ("LATTICE_B", "leaf-b")


async def until_reachable(host: Host) -> None:
    """Wait until the leaf node has found its hub."""
    async with asyncio.timeout(20):
        while True:
            try:
                await host.client.server_xkey()
            except nats.errors.NoRespondersError:
                await asyncio.sleep(0.1)
            else:
                return
