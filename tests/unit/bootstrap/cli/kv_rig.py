"""A bucket in memory, and the kv commands over it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from typer.testing import CliRunner, Result

from adapters.nats_kv.calls import VersionConflictError
from adapters.nats_kv.operating import OtherKeyError, Revision
from adapters.nats_kv.stream_reader import Operation
from adapters.nats_kv.value_cipher import read_value
from bootstrap.cli import kv
from domain.model.errors import SecretNotFound, UpstreamError
from domain.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


CANARY = "canary-0b8f4d"


class MemoryKv:
    """Reader, writer, catalog and sessions at once. Deletions leave no trace.

    Attributes:
        is_missing: there is no bucket, until a command may create it.
        other_key: the values are another key's.
        opened: what the commands opened.
    """

    def __init__(self) -> None:
        self.is_missing = self.other_key = self.created_bucket = False
        self.opened: list[str] = []
        self.versions: dict[str, list[bytes]] = {}
        self.history_kept: bool | None = None
        self.failure: Exception | None = None

    async def get(self, key: str, version: str | None = None) -> Secret:
        self._fail()
        versions = self.versions.get(key)
        if not versions or (version is not None and int(version) > len(versions)):
            raise SecretNotFound("Nothing is stored under that key.")
        number = len(versions) if version is None else int(version)
        return Secret(str(number), read_value(versions[number - 1]))

    @asynccontextmanager
    async def open_kv(self, *, create_bucket: bool = False) -> AsyncIterator[tuple[Self, Self]]:
        self.opened.append("kv")
        if self.is_missing and not create_bucket:
            raise UpstreamError("There is no bucket.")
        self.created_bucket = self.is_missing
        yield self, self

    @asynccontextmanager
    async def open_catalog(self) -> AsyncIterator[Self]:
        self.opened.append("catalog")
        yield self

    async def put(
        self,
        key: str,
        value: str | bytes,
        expected: str | None = None,
        *,
        any_key: bool = False,
    ) -> str:
        self._fail()
        if self.other_key and not any_key:
            raise OtherKeyError("Nothing was stored: none of the 3 looked at opens.")
        assert isinstance(value, bytes)
        versions = self.versions.setdefault(key, [])
        if expected is not None and expected != str(len(versions)):
            raise VersionConflictError
        versions.append(value)
        return str(len(versions))

    async def history(self, key: str) -> list[Revision]:
        self._fail()
        return [
            Revision(str(number), datetime(2027, 1, number, tzinfo=UTC), Operation.PUT, len(value))
            for number, value in enumerate(self.versions[key], 1)
        ]

    async def keys(self, prefix: str = "") -> list[str]:
        self._fail()
        return sorted(key for key in self.versions if key.startswith(prefix))

    async def delete(self, key: str, *, keep_history: bool = False) -> None:
        self._fail()
        self.history_kept = keep_history
        del self.versions[key]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(kv.app, list(words), input=stdin)
