"""A relay between an operator and hosts, in the accounts that are shipped."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import nats
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from tests.support.service_process import ServiceProcess
from tests.support.wasmcloud2.host import WashHost, ask

if TYPE_CHECKING:
    from nats.aio.client import Client

    from tests.support.kv_secrets import KvSecrets


CERTIFICATES = Path(__file__).parent / "tls"
CONF = Path(__file__).resolve().parents[3] / "deploy" / "nats" / "wasmcloud2.conf"


class Stage:
    """A NATS server with the shipped accounts, the operator, a workload's peer, and relays.

    Attributes:
        operator: the operator's client.
        data: a client in the workloads' account.
        kv: the bucket that the relay reads, on a server of its own.
    """

    def __init__(
        self, url: str, kv: KvSecrets, folder: Path, operator: Client, data: Client
    ) -> None:
        self.url, self.kv, self.operator, self.data = url, kv, operator, data
        self._folder = folder

    def relay(self, **settings: str) -> ServiceProcess:
        """Return a relay that is yet to be started."""
        sides = {
            f"RELAY_{side}_{name}": value
            for side, user in (
                ("OPERATOR", "secrets-relay-operator"),
                ("HOSTS", "secrets-relay-hosts"),
            )
            for name, value in (
                ("URL", self.url),
                ("TLS_CA_FILE", str(CERTIFICATES / "ca.pem")),
                ("TLS_CERT_FILE", str(CERTIFICATES / f"{user}.pem")),
                ("TLS_KEY_FILE", str(CERTIFICATES / f"{user}-key.pem")),
            )
        }
        return ServiceProcess(
            self.kv.settings | sides | {"LOG_FORMAT": "json", **settings},
            self._folder,
            arguments=("bootstrap.cli", "relay"),
        )

    def host(self, name: str = "host") -> WashHost:
        """Return a host that is yet to be started."""
        return WashHost(
            self.operator,
            self._folder / name,
            self.url,
            arguments=(
                *_certificate("--scheduler-nats-tls", "wasmcloud-runtime"),
                *_certificate("--data-nats-tls", "wasmcloud-data"),
            ),
        )

    async def said(self, subject: str, command: str) -> bytes:
        """Ask the component; b"" where it does not answer."""
        try:
            return await ask(self.data, subject, command)
        except (NoRespondersError, NatsTimeoutError):
            return b""


def _certificate(prefix: str, user: str) -> tuple[str, ...]:
    return (
        *(f"{prefix}-ca", str(CERTIFICATES / "ca.pem")),
        *(f"{prefix}-cert", str(CERTIFICATES / f"{user}.pem")),
        *(f"{prefix}-key", str(CERTIFICATES / f"{user}-key.pem")),
    )


async def connect(url: str, user: str) -> Client:
    """Log in by the user's certificate."""
    context = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    context.load_cert_chain(CERTIFICATES / f"{user}.pem", CERTIFICATES / f"{user}-key.pem")
    return await nats.connect(url, tls=context)
