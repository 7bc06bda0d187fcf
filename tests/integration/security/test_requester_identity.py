"""The one identity a caller cannot forge: the NATS account and user that the server names."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import nats.errors
import pytest
from typing_extensions import override

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.nats.channel import NatsChannel
from adapters.nats.headers import HOST_XKEY, SERVER_RESPONSE_XKEY
from domain.model.errors import Unauthorized
from domain.model.transport import Reply
from ports.transport import ChannelError
from tests.integration.security.conftest import (
    SUBJECTS,
    asking_host,
    service_settings,
    store_secret,
)
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.support.host import Host

ISSUER = SigningKey(KeyKind.ACCOUNT, b"i" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
ENTITY = sign_token(ISSUER, COMPONENT, token_id="test", issued_at=1_700_000_000)
POLICY = f"""\
version: 1
issuers:
  team: {ISSUER.public}
grants:
  - name: only-lattice-a
    entities:
      - issuer: team
        subject: {COMPONENT}
    accounts: [LATTICE_A]
    users: [host-a]
    secrets:
      - keys: ["/**"]
"""
GENUINE_A = json.dumps({"acc": "LATTICE_A", "user": "host-a", "kind": "Client"})
FORGERIES = [
    {"Nats-Request-Info": GENUINE_A},
    {"nats-request-info": GENUINE_A},
    {"NATS-REQUEST-INFO": GENUINE_A},
    {"Nats-Request-Info": GENUINE_A, "nats-Request-Info": GENUINE_A},
    {"X": f"a\nNats-Request-Info: {GENUINE_A}"},
    {"Nats-Request-Info ": GENUINE_A},
]


def forging(headers: dict[str, str]) -> type[NatsChannel]:
    """Return a channel that sends further headers along."""

    class ForgingChannel(NatsChannel):
        @override
        async def request(
            self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
        ) -> Reply:
            sent = headers | ({} if host_xkey is None else {HOST_XKEY: host_xkey})
            message = await self._client.request(
                SUBJECTS.of(operation), body, timeout=timeout_seconds, headers=sent
            )
            return Reply(message.data, (message.headers or {}).get(SERVER_RESPONSE_XKEY))

    return ForgingChannel


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def strict(policy_file: Path) -> dict[str, str]:
    """What makes the service insist on knowing who asks."""
    return {"NATS_REQUESTER_REQUIRED": "true", "ACCESS_POLICY_FILE": str(policy_file)}


async def test_a_genuine_request_is_answered_and_recorded_under_account_and_user(
    accounts_server: LocalNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    await store_secret(accounts_server, tmp_path, "KEY", "value")
    settings = service_settings(accounts_server, tmp_path) | strict

    async with (
        ServiceProcess(settings, tmp_path) as service,
        asking_host(accounts_server, "host-a") as host,
    ):
        secret = await host.get("KEY", entity_token=ENTITY)
        assert await service.stop() == 0

    assert secret.value.reveal() == "value"
    record = service.logged("secret_request")[-1]
    assert (record["requester_account"], record["requester_user"]) == ("LATTICE_A", "host-a")


async def test_another_account_is_refused_and_no_forged_header_helps_it(
    accounts_server: LocalNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    await store_secret(accounts_server, tmp_path, "KEY", "value")
    settings = service_settings(accounts_server, tmp_path) | strict

    async with ServiceProcess(settings, tmp_path) as service:
        for headers in ({}, *FORGERIES):
            channel = forging(headers)
            async with asking_host(accounts_server, "host-b", channel=channel) as host:
                with pytest.raises(Unauthorized):
                    await host.get("KEY", entity_token=ENTITY)
        assert await service.stop() == 0

    asked = [r for r in service.logged("secret_request") if r["operation"] == "get"]
    assert len(asked) == 1 + len(FORGERIES)
    assert {record["requester_account"] for record in asked} == {"LATTICE_B"}
    assert {record["reason"] for record in asked} == {"account_differs"}


WITHOUT_IMPORT = """
accounts {
  SECRETS {
    users: [{user: backend, password: password-of-backend}]
    exports: [{service: "wasmcloud.secrets.v1alpha1.infisical.>", accounts: [LATTICE_A]}]
  }
  LATTICE_A {users: [{user: host-a, password: password-of-host-a}]}
}
"""


async def test_an_account_without_the_import_finds_nobody(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    server = await start_nats_server(WITHOUT_IMPORT)
    settings = service_settings(server, tmp_path)

    service = ServiceProcess(settings, tmp_path, ready="nats.listening")
    async with service, asking_host(server, "host-a") as host:
        with pytest.raises(ChannelError) as caught:
            await host.get("KEY", entity_token=ENTITY)

    assert caught.value.reason == "no_responders"


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
