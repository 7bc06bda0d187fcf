"""Secrets in a bucket, the rules of workloads that read them, and settings for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from adapters.change_notice.messages import FLUSH, Cause, Invalidation
from adapters.nats.connection import NatsConnection
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import ControlSubjects
from adapters.nats_kv.operating import NatsKvCatalog, NatsKvSecretWriter
from adapters.system.clock import SystemClock
from domain.model.selection import Selection
from tests.support.environments import kv_settings, new_xkey_seed

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX, _BACKEND = "wasmcloud.secrets", "nats-kv"


class KvSecrets:
    """A bucket on a server of the test's own, with what an operator does to it.

    Attributes:
        settings: the environment of a service, agent or command that reads it.
        policy: the access policy file in force there.
    """

    def __init__(self, nats_url: str, folder: Path) -> None:
        seed = new_xkey_seed()
        self._kv = kv_settings(encryption_xkey_seed=SecretStr(seed))
        self.policy = folder / "access-policy.yaml"
        self.settings = {
            "SECRET_STORE": "nats-kv",
            "NATS_URL": nats_url,
            "ENCRYPTION_XKEY_SEED": seed,
            "ACCESS_POLICY_FILE": str(self.policy),
            "V2_ENVIRONMENT": "prod",
        }
        self._clock = SystemClock()
        self._connection = NatsConnection(NatsSettings(urls=(nats_url,)), self._clock, name="test")
        self.grant("/**")

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    def grant(self, *keys: str, workload: str = "*") -> None:
        """Let the workloads of namespace "shop" in "prod" have these keys alone."""
        listed = ", ".join(f'"{key}"' for key in keys)
        self.policy.write_text(
            f"""\
version: 1
issuers: {{}}
grants:
  - name: shop
    workloads:
      - environments: [prod]
        namespaces: [shop]
        names: ["{workload}"]
    secrets:
      - keys: [{listed}]
""",
            "utf-8",
        )

    async def put(self, key: str, value: str | bytes) -> None:
        """Store a value, and make the bucket for the first one."""
        writer = NatsKvSecretWriter(
            client=self._connection.client,
            config=self._kv,
            encryption_xkey=self._kv.encryption_xkey(),
            clock=self._clock,
        )
        await writer.put(key, value)

    async def delete(self, key: str) -> None:
        """Remove a secret."""
        catalog = NatsKvCatalog(client=self._connection.client, config=self._kv, clock=self._clock)
        await catalog.delete(key)

    async def flush(self) -> None:
        """Tell every process that secrets have changed, as `cache flush --all` does."""
        subjects = ControlSubjects(_PREFIX, _BACKEND)
        order = Invalidation("flush-1", "test", Cause.FLUSH, Selection.everything(()))
        peers = NatsPeerBus(self._connection.client, subjects, self._clock)
        answers = await peers.ask(FLUSH, order.to_json())
        await answers.gather(0.1)
