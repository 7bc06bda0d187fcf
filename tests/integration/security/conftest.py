"""Servers with the configuration that is shipped, and clients who log in to them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import nats
import nats.errors
import pytest
import pytest_asyncio

from tests.integration.security.nats_auth_site import OpenSite, Site
from tests.integration.security.requester_rig import POLICY
from tests.integration.security.roles import DEPLOY, USERS, LogIn, PlainClient, password
from tests.support.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put each user's password where the configuration takes it from."""
    for user in USERS:
        name = user.upper().replace("-", "_")
        monkeypatch.setenv(f"NATS_{name}_PASSWORD", password(user))


@pytest_asyncio.fixture
async def accounts_server(start_nats_server: StartNatsServer) -> LocalNatsServer:
    """A server with deploy/nats/accounts.conf as it is."""
    return await start_nats_server((DEPLOY / "accounts.conf").read_text(), jetstream=True)


@pytest_asyncio.fixture
async def permissions_server(start_nats_server: StartNatsServer) -> LocalNatsServer:
    """A server with deploy/nats/permissions.conf as it is."""
    return await start_nats_server((DEPLOY / "permissions.conf").read_text(), jetstream=True)


@pytest_asyncio.fixture(params=["accounts.conf", "permissions.conf"])
async def shipped_server(
    request: pytest.FixtureRequest, start_nats_server: StartNatsServer
) -> LocalNatsServer:
    """A server with each of the two."""
    return await start_nats_server((DEPLOY / request.param).read_text(), jetstream=True)


@pytest.fixture
def host_user(request: pytest.FixtureRequest) -> str:
    """The user that a host logs in as on the shipped server."""
    shipped = request.node.callspec.params["shipped_server"]
    return "host-a" if shipped == "accounts.conf" else "host"


@pytest_asyncio.fixture
async def log_in() -> AsyncIterator[LogIn]:
    async with AsyncExitStack() as clients:

        async def connect(server: LocalNatsServer, user: str) -> PlainClient:
            complaints: list[str] = []

            async def note(error: Exception) -> None:
                complaints.append(str(error))

            client = await nats.connect(
                server.url, user=user, password=password(user), error_cb=note
            )
            clients.push_async_callback(client.close)
            return PlainClient(client, complaints)

        yield connect


@pytest_asyncio.fixture
async def open_site(start_nats_server: StartNatsServer, tmp_path: Path) -> AsyncIterator[OpenSite]:
    async with AsyncExitStack() as clients:

        async def opened(*options: str) -> Site:
            code, _, said = await CommandLine({}, tmp_path).run(
                "nats-auth", "init", "auth", *options
            )
            assert code == 0, said
            config = (tmp_path / "auth" / "nats-auth.conf").read_text()
            server = await start_nats_server(config, jetstream=True)
            return Site(server, tmp_path, clients)

        yield opened


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def strict(policy_file: Path) -> dict[str, str]:
    """What makes the service insist on knowing who asks."""
    return {"NATS_REQUESTER_REQUIRED": "true", "ACCESS_POLICY_FILE": str(policy_file)}
