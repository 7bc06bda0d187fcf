"""Everything that works on one bucket, over one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nats.js import JetStreamContext

from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.operating import NatsKvCatalog, NatsKvSecretWriter
from adapters.nats_kv.store import NatsKvSecretStore
from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from nats.aio.client import Client

    from adapters.nats_kv.settings import NatsKvSettings
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
