"""Hosts that do all of a host's work as users with passwords: shipped, and printed by a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats_auth import roles
from adapters.nats_auth.folder import permissions_text
from adapters.nats_auth.roles import Names
from tests.integration.security.roles import password, service_settings, store_secret, url_of
from tests.support.command_line import CommandLine
from tests.support.host import new_token
from tests.support.lattice_host import Artifact, LatticeHost
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.integration.security.roles import LogIn

NAMES = Names(lattices=("default",))


async def started(
    server: LocalNatsServer, folder: Path, log_in: LogIn, host_user: str, lattice_user: str
) -> tuple[str, list[str], str]:
    """Start a component on a host, and return its error, what was denied, and the service's log."""
    settings = {"NATS_URL": url_of(server, lattice_user)}
    made = await CommandLine(settings, folder).run("nats-auth", "lattice-buckets", "default")
    assert made[0] == 0, made[2]
    await store_secret(server, folder, "KEY", "value")
    async with ServiceProcess(service_settings(server, folder), folder) as service:
        logins = [await log_in(server, host_user) for _ in range(2)]
        host = await LatticeHost(*(login.client for login in logins)).join()
        name = await host.put_secret_reference("key", "KEY")
        token = new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.COMPONENT)
        event = await host.scale("checkout", Artifact(token, (name,)))
        denied = [text for login in logins for text in await login.denied()]
    return event.error, denied, service.output


async def test_under_accounts_conf_as_it_is(
    accounts_server: LocalNatsServer, tmp_path: Path, log_in: LogIn
) -> None:
    error, denied, log = await started(accounts_server, tmp_path, log_in, "host-a", "lattice-a")

    assert (error, denied) == ("", [])
    assert "violation" not in log.lower()


def shared_account() -> str:
    """Write users of one account; three have the permissions that the command prints."""
    bucket = ("$KV.WASMCLOUD_SECRETS.>", "$JS.API.STREAM.>")
    users = {
        "backend": roles.service(NAMES),
        "host": roles.host(NAMES, "default", alone=False),
        "lattice-a": roles.lattice_user(NAMES),
        "operator": roles.Permissions(publish=bucket, subscribe=(roles.INBOX,)),
    }
    written = "\n".join(
        f'{{user: {user}, password: "{password(user)}"\n{permissions_text(permissions)}}}'
        for user, permissions in users.items()
    )
    return f"authorization {{users: [\n{written}\n]}}\n"


async def test_in_a_shared_account_with_the_permissions_that_the_command_prints(
    start_nats_server: StartNatsServer, tmp_path: Path, log_in: LogIn
) -> None:
    server = await start_nats_server(shared_account(), jetstream=True)

    error, denied, log = await started(server, tmp_path, log_in, "host", "lattice-a")

    assert (error, denied) == ("", [])
    assert "violation" not in log.lower()
