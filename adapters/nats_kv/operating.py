"""What the operator does with secrets in the bucket: storing, listing and deleting them.

The service itself only reads. Listing and deleting need no encryption xkey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.calls import VersionConflictError
from adapters.nats_kv.keys import MAX_REVISION, kv_key, parse_revision
from adapters.nats_kv.stream_reader import OPERATION_HEADER, Operation
from adapters.nats_kv.value_cipher import (
    SEAL_BYTES,
    ValueCipher,
    check_newest,
    read_value,
    to_bytes,
)
from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.opaque import opaque
from domain.model.replies import write_secret
from domain.model.secret import Secret

if TYPE_CHECKING:
    from datetime import datetime

    from nats.aio.client import Client

    from adapters.nats_kv.settings import NatsKvSettings
    from ports.clock import Clock
    from ports.key_exchange import XKeyPair


_DELETE_HEADERS = {OPERATION_HEADER: "DEL"}
_PURGE_HEADERS = {OPERATION_HEADER: "PURGE", "Nats-Rollup": "sub"}

MUST_NOT_EXIST = "0"
"""The version to expect of a secret that must not have a value yet."""

_HEADER_BYTES = 1024
_EXPECTED_REVISION_HEADER = "Nats-Expected-Last-Subject-Sequence"


@opaque
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

    async def history(self, key: str) -> list[Revision]:
        """Return the versions kept of a secret and its deletions, oldest first.

        Raises:
            SecretNotFound: nothing was ever stored there, or nothing of it is kept.
        """
        entries = await self._bucket.history(kv_key(key), self._bucket.deadline())
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
        names = await self._bucket.names(self._bucket.deadline())
        return [name for name in names if name.startswith(prefix.removeprefix("/"))]

    async def delete(self, key: str, *, keep_history: bool = False) -> None:
        """Remove a secret with all its versions, or, to keep them, only its latest value.

        Raises:
            SecretNotFound: there is nothing left to remove.
        """
        name, deadline = kv_key(key), self._bucket.deadline()
        latest = await self._bucket.latest(name, deadline)
        gone = {Operation.PURGE, Operation.DELETE} if keep_history else {Operation.PURGE}
        if latest is None or latest.operation in gone:
            raise _not_found()
        headers = _DELETE_HEADERS if keep_history else _PURGE_HEADERS
        await self._bucket.append(name, b"", headers, deadline)


def _not_found() -> SecretNotFound:
    return SecretNotFound("Nothing is stored under that key; list the keys to see what is.")


class OtherKeyError(Exception):
    """The bucket's values were sealed with another encryption xkey than the one to seal with."""


class NatsKvSecretWriter:
    """Puts secrets into the bucket; every call ends within the configured time. `client`: a
    connection that its owner keeps open and closes. `created_bucket`: whether `put` made the
    bucket, as the configuration may allow.
    """

    def __init__(
        self, *, client: Client, config: NatsKvSettings, encryption_xkey: XKeyPair, clock: Clock
    ) -> None:
        self._bucket = Bucket(client, config, clock)
        self._cipher = ValueCipher(encryption_xkey)
        self._config = config
        self.created_bucket = False

    async def put(
        self, key: str, value: str | bytes, expected: str | None = None, *, any_key: bool = False
    ) -> str:
        """Store a value and return its version. Bytes that are valid UTF-8 are served as text.

        One existing value is opened first: what is sealed with another key than the service's
        cannot be read by it.

        After an UpstreamError with reason "timeout" the value may have been stored: see `history`.

        Args:
            key: as `locate` reads it.
            expected: write only if this is the latest version; "0" only if there is no value.
            any_key: write even though no existing value opens.

        Raises:
            InvalidRequest: `NatsKvSecretStore.locate` would refuse the key, or the value is too
                large to be stored, or to be answered to a host.
            OtherKeyError: there are values, and none of them opens with the encryption xkey.
            UpstreamError: NATS does not answer, or refuses.
            VersionConflictError: the latest version is not the one expected.
        """
        name, deadline = kv_key(key), self._bucket.deadline()
        plain = to_bytes(value)
        self._refuse_too_large(plain)
        self.created_bucket |= await self._bucket.ensure(deadline)
        if not any_key:
            await self._refuse_other_key(deadline)
        headers: dict[str, str] = {}
        if expected is not None:
            headers[_EXPECTED_REVISION_HEADER] = await self._last_revision(name, expected, deadline)
        sealed = self._cipher.seal(plain)
        return str(await self._bucket.append(name, sealed, headers, deadline))

    async def _refuse_other_key(self, deadline: float) -> None:
        found = await check_newest(self._bucket, self._cipher, deadline)
        if found.none_opens:
            raise OtherKeyError(
                f"Nothing was stored: the bucket {self._config.bucket} holds values, and none of "
                f"the {found.looked_at} looked at opens with this encryption xkey, so the service "
                "could not read the new one. Check ENCRYPTION_XKEY_SEED and "
                "ENCRYPTION_XKEY_SEED_FILE."
            )

    async def _last_revision(self, name: str, expected: str, deadline: float) -> str:
        """Return the revision that the server is to find; a deletion is one, too."""
        if expected != MUST_NOT_EXIST:
            return str(parse_revision(expected))
        latest = await self._bucket.latest(name, deadline)
        if latest is None:
            return MUST_NOT_EXIST
        if latest.operation is Operation.PUT:
            raise VersionConflictError
        return str(latest.revision)

    def _refuse_too_large(self, plain: bytes) -> None:
        """Refuse a value that could be stored but never answered: binary grows fourfold in JSON."""
        room = self._bucket.max_message_bytes - SEAL_BYTES - _HEADER_BYTES
        answer = write_secret(Secret(str(MAX_REVISION), read_value(plain)))
        if max(len(plain), len(answer)) > room:
            raise InvalidRequest(
                f"The value takes {len(answer)} bytes in an answer, and NATS carries {room} for "
                "this login. Store a smaller one, or raise max_payload on every server, and the "
                "login's payload limit if it has one.",
                reason="value_too_large",
            )
