"""Secrets out of a NATS KV bucket, drop-in for wasmCloud's own secrets-nats-kv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.keys import kv_key, locate, parse_revision
from adapters.nats_kv.stream_reader import Operation
from adapters.nats_kv.value_cipher import ValueCipher
from domain.model.errors import SecretNotFound
from domain.model.secret import Secret
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from nats.aio.client import Client

    from adapters.nats_kv.settings import NatsKvSettings
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from ports.clock import Clock
    from ports.key_exchange import XKeyPair


class NatsKvSecretStore(SecretStore):
    """Reads one bucket, whose values are sealed by `encryption_xkey` for itself.

    A version is a KV revision. After a delete that kept the history, old versions can still be
    asked for; after a purge nothing is left. `client`: a connection that its owner keeps open and
    closes.
    """

    def __init__(
        self, *, client: Client, config: NatsKvSettings, encryption_xkey: XKeyPair, clock: Clock
    ) -> None:
        self._bucket = Bucket(client, config, clock)
        self._cipher = ValueCipher(encryption_xkey)
        self._config = config

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return locate(reference, self._config.bucket)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        return await self._read(
            query.location.path.removeprefix("/"), query.version, query.deadline
        )

    async def get(self, key: str, version: str | None = None) -> Secret:
        """Read a secret for its operator, within the configured time for an operation.

        Raises:
            SecretsError: as `locate` and `fetch` do.
        """
        return await self._read(kv_key(key), version, self._bucket.deadline())

    async def _read(self, name: str, version: str | None, deadline: float) -> Secret:
        if version is None:
            entry = await self._bucket.latest(name, deadline)
        else:
            entry = await self._bucket.at(name, parse_revision(version), deadline)
        if entry is None or entry.operation is not Operation.PUT:
            raise SecretNotFound(
                "Nothing is stored under that key, or not in that version; check both against the "
                "bucket."
            )
        return Secret(version=str(entry.revision), value=self._cipher.open(entry.sealed))
