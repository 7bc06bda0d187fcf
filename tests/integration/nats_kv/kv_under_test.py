"""Everything that works on one bucket over one connection, and what fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import nats
from nats.js import JetStreamContext

from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.operating import NatsKvCatalog, NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.system.clock import SystemClock
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER

if TYPE_CHECKING:
    from nats.aio.client import Client

    from ports.key_exchange import XKeyPair


@dataclass(frozen=True, slots=True)
class Kv:
    """Store, writer, catalog and check over one connection, and the connection for raw access."""

    client: Client
    config: NatsKvSettings
    xkey: XKeyPair

    @property
    def store(self) -> NatsKvSecretStore:
        return NatsKvSecretStore(
            client=self.client,
            config=self.config,
            encryption_xkey=self.xkey,
            clock=SystemClock(),
        )

    @property
    def writer(self) -> NatsKvSecretWriter:
        return NatsKvSecretWriter(
            client=self.client,
            config=self.config,
            encryption_xkey=self.xkey,
            clock=SystemClock(),
        )

    @property
    def catalog(self) -> NatsKvCatalog:
        return NatsKvCatalog(client=self.client, config=self.config, clock=SystemClock())

    @property
    def check(self) -> NatsKvCheck:
        return NatsKvCheck(
            client=self.client,
            config=self.config,
            encryption_xkey=self.xkey,
            clock=SystemClock(),
        )

    @property
    def jetstream(self) -> JetStreamContext:
        return JetStreamContext(conn=self.client)

    async def write_raw(self, kv_key: str, stored: bytes) -> int:
        """Append what any NATS client may write, sealed or not."""
        ack = await self.jetstream.publish(f"$KV.{self.config.bucket}.{kv_key}", stored)
        return ack.seq


CANARY = "canary-5c1b7e90"
ACCOUNT_WITHOUT_JETSTREAM = """
accounts {
  KV { jetstream: enabled, users: [{user: kv, password: kv}] }
  PLAIN { users: [{user: plain, password: plain}] }
  SYS { users: [{user: sys, password: sys}] }
}
system_account: SYS
"""
USER_WITHOUT_PERMISSION = """
authorization {
  users: [{
    user: narrow, password: narrow, permissions: { publish: ["none"], subscribe: ["_INBOX.>"] }
  }]
}
"""


async def _quiet(_: Exception) -> None:
    """Take the driver's own error reports, which it would print."""


async def connect(url: str, **options: str) -> Client:
    return await nats.connect(url, error_cb=_quiet, **options)


async def fetch(kv: Kv, key: str, *, seconds: float) -> None:
    store = kv.store
    deadline = SystemClock().monotonic() + seconds
    await store.fetch(SecretQuery(store.locate(SecretReference(key)), None, CALLER, deadline))


class OnlyExisting(NatsKvSettings):
    create_bucket: ClassVar[bool] = False


class Hasty(NatsKvSettings):
    operation_seconds: ClassVar[float] = 0.3


def chain(error: BaseException | None) -> list[BaseException]:
    """Return the error with every context and cause that travels with it."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


async def stored_values(kv: Kv, kv_key: str) -> list[bytes]:
    bucket = await kv.jetstream.key_value(kv.config.bucket)
    return [entry.value or b"" for entry in await bucket.history(kv_key)]
