"""What is in the bucket, without its values: listed and deleted without the encryption xkey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.entry import OPERATION_HEADER, Operation
from adapters.nats_kv.keys import kv_key
from adapters.nats_kv.value_cipher import SEAL_BYTES
from domain.model.errors import SecretNotFound

if TYPE_CHECKING:
    from datetime import datetime

    from nats.aio.client import Client

    from adapters.nats_kv.settings import NatsKvSettings
    from ports.clock import Clock

_DELETE_HEADERS = {OPERATION_HEADER: "DEL"}
_PURGE_HEADERS = {OPERATION_HEADER: "PURGE", "Nats-Rollup": "sub"}


@dataclass(frozen=True, slots=True)
class Revision:
    """One version in a secret's history, without its value. `size`: the value's length in bytes; 0
    for a deletion.
    """

    version: str
    created: datetime | None
    operation: Operation
    size: int


class NatsKvCatalog:
    """Lists and deletes secrets in the bucket; every call ends within the configured time.

    Every method raises InvalidRequest for a key that `NatsKvSecretStore.locate` would refuse, and
    UpstreamError when NATS does not answer or refuses. `client`: a connection that its owner keeps
    open and closes.
    """

    def __init__(self, *, client: Client, config: NatsKvSettings, clock: Clock) -> None:
        self._bucket = Bucket(client, config, clock)
        self._config = config
        self._clock = clock

    async def history(self, key: str) -> list[Revision]:
        """Return the versions kept of a secret and its deletions, oldest first.

        Raises:
            SecretNotFound: nothing was ever stored there, or nothing of it is kept.
        """
        entries = await self._bucket.history(kv_key(key), self._deadline())
        if not entries:
            raise _not_found()
        return [
            Revision(
                version=str(entry.revision),
                created=entry.created,
                operation=entry.operation,
                size=max(0, len(entry.sealed) - SEAL_BYTES),
            )
            for entry in entries
        ]

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the KV keys that have a value and begin with `prefix`, sorted.

        They are given as the bucket spells them: `adapters.nats_kv.keys.is_served` tells which of
        them a request can reach.
        """
        names = await self._bucket.names(self._deadline())
        return [name for name in names if name.startswith(prefix.removeprefix("/"))]

    async def delete(self, key: str, *, keep_history: bool = False) -> None:
        """Remove a secret with all its versions, or, to keep them, only its latest value.

        Raises:
            SecretNotFound: there is nothing left to remove.
        """
        name, deadline = kv_key(key), self._deadline()
        latest = await self._bucket.latest(name, deadline)
        gone = {Operation.PURGE, Operation.DELETE} if keep_history else {Operation.PURGE}
        if latest is None or latest.operation in gone:
            raise _not_found()
        headers = _DELETE_HEADERS if keep_history else _PURGE_HEADERS
        await self._bucket.append(name, b"", headers, deadline)

    def _deadline(self) -> float:
        return self._clock.monotonic() + self._config.operation_seconds


def _not_found() -> SecretNotFound:
    return SecretNotFound("Nothing is stored under that key; list the keys to see what is.")
