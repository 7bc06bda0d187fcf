"""A service with its console, a store and hosts that ask it: what the browser looks at."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.errors import SecretsError
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.host import ISSUED_AT, Host, connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

VALUE = "canary-value-7d1e"
HOSTILE = "\"'><img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
_POLICY = """\
version: 1
issuers:
  payments-team: {issuer}
grants:
  - name: payments
    entities:
      - issuer: payments-team
        names: ["checkout*"]
    secrets:
      - keys: ["/payments/**"]
  - name: reports
    entities:
      - issuer: payments-team
        names: ["reports"]
    secrets:
      - keys: ["/reports/*"]
denials:
  - name: no component reads root keys
    keys: ["/platform/**"]
"""


@dataclass
class Stage:
    """What a test may do beside the browser."""

    address: str
    host: Host
    service: ServiceProcess
    infisical: InfisicalServer
    folder: Path
    team: SigningKey = field(repr=False)

    @property
    def console(self) -> str:
        """The console's address."""
        return f"http://{self.address}/console"

    def token(self, name: str) -> str:
        """Sign a component's token for the team that the policy trusts."""
        subject = SigningKey.generate(KeyKind.COMPONENT).public
        return sign_token(
            self.team, subject, token_id=name, issued_at=ISSUED_AT, metadata={"name": name}
        )

    async def ask(self, key: str, token: str) -> None:
        """Ask as a host does; a refusal is an answer, too."""
        with suppress(SecretsError):
            await self.host.get(key, entity_token=token)


@asynccontextmanager
async def staged(folder: Path, workers: int = 1) -> AsyncIterator[Stage]:
    """Start everything, and end it."""
    team = SigningKey.generate(KeyKind.ACCOUNT)
    policy = folder / "access-policy.yaml"
    policy.write_text(_POLICY.format(issuer=team.public), "utf-8")
    address = f"127.0.0.1:{neighbouring_ports(workers)}"
    async with AsyncExitStack() as opened:
        nats = await opened.enter_async_context(LocalNatsServer())
        infisical = await opened.enter_async_context(InfisicalServer())
        for name in ("API_KEY", "DB_PASSWORD"):
            infisical.model.put(name, VALUE, folder="/payments")
        settings = local_infisical_environment(infisical, nats.url, "wasmcloud.secrets", folder) | {
            "ACCESS_POLICY_FILE": str(policy),
            "ADMIN_ADDR": address,
            "ADMIN_CONSOLE": "true",
            "CACHE_TTL_SECONDS": "60",
            "WORKERS": str(workers),
        }
        service = await opened.enter_async_context(ServiceProcess(settings, folder))
        host = await opened.enter_async_context(connected_host(nats.url, "wasmcloud.secrets"))
        yield Stage(address, host, service, infisical, folder, team)
