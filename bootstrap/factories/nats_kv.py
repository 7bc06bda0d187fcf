"""The NATS KV store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.config import NatsKvConfig
from adapters.nats_kv.store import NatsKvSecretStore
from bootstrap.settings import Problem, SettingsError
from bootstrap.store_parts import StoreParts

if TYPE_CHECKING:
    from adapters.nats.client import SteadyClient
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import Settings
    from bootstrap.settings.stores import NatsKvSettings
    from ports.clock import Clock


def nats_kv_config(settings: NatsKvSettings) -> NatsKvConfig:
    """Name the bucket and its shape."""
    return NatsKvConfig(
        bucket=settings.nats_kv_bucket,
        history=settings.nats_kv_history,
        replicas=settings.nats_kv_replicas,
    )


def build_nats_kv(
    settings: Settings, client: SteadyClient, keys: ServiceKeys, clock: Clock
) -> StoreParts:
    """Build the NATS KV store, over the connection that requests come by."""
    if keys.encryption is None:
        raise SettingsError(
            Problem("ENCRYPTION_XKEY_SEED", "is not set; the store nats-kv needs it.")
        )
    config = nats_kv_config(settings)
    return StoreParts(
        NatsKvSecretStore(
            client=client, config=config, encryption_xkey=keys.encryption, clock=clock
        ),
        NatsKvCheck(client=client, config=config, encryption_xkey=keys.encryption, clock=clock),
        # It answers within a millisecond or two, and whoever puts a value expects to get it.
        cache_ttl_seconds=0.0,
    )
