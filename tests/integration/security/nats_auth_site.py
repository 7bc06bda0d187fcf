"""A server set up by `nats-auth init`, with the service and logins of all roles."""

from __future__ import annotations

import base64
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import nats

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.integration.security.roles import PlainClient
from tests.support.command_line import CommandLine
from tests.support.environments import nats_kv_environment
from tests.support.lattice_host import LatticeHost
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer


ISSUER = SigningKey.generate(KeyKind.ACCOUNT)
PREFIX = "wasmcloud.secrets.v1alpha1.infisical"
BUCKET, AUDIT = "KV_WASMCLOUD_SECRETS", "SECRETS_AUDIT"
API = "JS.SECRETS.API"


class Site:
    """A server with what `init` wrote, and logins to it."""

    def __init__(self, server: LocalNatsServer, folder: Path, clients: AsyncExitStack) -> None:
        self.server, self.folder, self._clients = server, folder, clients

    def settings(self, user: str) -> dict[str, str]:
        return nats_kv_environment(self.folder) | {
            "NATS_URL": self.server.url,
            "NATS_CREDENTIALS_FILE": str(self.credentials(user)),
            **({"NATS_JETSTREAM_PREFIX": API} if user in {"operator", "auditor"} else {}),
        }

    def credentials(self, user: str) -> Path:
        return self.folder / "auth" / "creds" / f"{user}.creds"

    def service(self, **more: str) -> ServiceProcess:
        settings = self.settings("service") | {"AUDIT_STREAM": AUDIT} | more
        return ServiceProcess(settings, self.folder)

    async def command(self, user: str, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        return await CommandLine(self.settings(user), self.folder).run(*words, stdin=stdin)

    async def log_in(self, user: str) -> PlainClient:
        complaints: list[str] = []

        async def note(error: Exception) -> None:
            complaints.append(str(error))

        lines = self.credentials(user).read_text().splitlines()
        key = SigningKey.from_seed(lines[lines.index("-----BEGIN USER NKEY SEED-----") + 1])
        client = await nats.connect(
            self.server.url,
            user_jwt_cb=lines[1].encode,
            signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
            error_cb=note,
            allow_reconnect=False,
        )
        self._clients.push_async_callback(client.close)
        return PlainClient(client, complaints)

    async def host(self, lattice: str = "default") -> tuple[LatticeHost, list[PlainClient]]:
        code, _, said = await self.command(
            f"lattice-{lattice}", "nats-auth", "lattice-buckets", lattice
        )
        assert code == 0, said
        logins = [await self.log_in(f"host-{lattice}") for _ in range(2)]
        host = LatticeHost(*(login.client for login in logins), lattice=lattice)
        return await host.join(), logins

    async def reload(self) -> None:
        """Have the server read the written configuration again, as `nats-server --signal` does."""
        file = self.server._runtime_folder() / "nats-server.conf"
        before = file.read_text()
        begin = before.index("# Written by")
        file.write_text(before[:begin] + (self.folder / "auth" / "nats-auth.conf").read_text())
        os.kill(self.server.pid, signal.SIGHUP)


class OpenSite(Protocol):
    async def __call__(self, *options: str) -> Site: ...


@asynccontextmanager
async def serving(site: Site, **more: str) -> AsyncIterator[ServiceProcess]:
    """Run the service, with one secret stored by the operator."""
    async with site.service(**more) as service:
        code, _, said = await site.command("operator", "kv", "put", "KEY", stdin=b"value")
        assert code == 0, said
        yield service
