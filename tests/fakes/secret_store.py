"""A secret store in memory, with versions, failures and slowness on demand."""

from __future__ import annotations

import asyncio
from typing import Literal

from typing_extensions import override

from domain.model.errors import InvalidRequest, PolicyError, SecretNotFound
from domain.model.key_path import parse_key
from domain.model.reference import SecretLocation, SecretQuery, SecretReference
from domain.model.secret import FROM_STORE, Secret, SecretValue
from ports.secret_store import SecretStore


class FakeSecretStore(SecretStore):
    """Keeps every version of every path; knows one policy property, `environment`.

    Attributes:
        queries: every query fetched, in order.
        failure: raised by every fetch while set.
        source: what every answer says that it came from.
        asked: set from the first fetch on.
        gate: fetches wait here while it is cleared.
        max_age_seconds, note, field_encoding: of every secret answered.
    """

    def __init__(self, environments: tuple[str, ...] = ("prod",)) -> None:
        self._environments = environments
        self._versions: dict[tuple[str, str], list[str | bytes]] = {}
        self.queries: list[SecretQuery] = []
        self.failure: BaseException | None = None
        self.source = FROM_STORE
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.max_age_seconds: float | None = None
        self.note: str | None = None
        self.field_encoding: Literal["base64"] | None = None

    def put(self, path: str, value: str | bytes, environment: str | None = None) -> str:
        """Store the next version under a canonical path and return its name."""
        versions = self._versions.setdefault((environment or self._environments[0], path), [])
        versions.append(value)
        return str(len(versions))

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        if set(reference.properties) - {"environment"}:
            raise PolicyError("This store knows the property environment only; drop the others.")
        environment = reference.properties.get("environment", self._environments[0])
        if environment not in self._environments:
            raise PolicyError("That environment is not allowed here.")
        key = parse_key(reference.key)
        return SecretLocation(
            path="/" + "/".join((*key.folders, key.name)), scope=(("environment", environment),)
        )

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        self.queries.append(query)
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        versions = self._versions.get(
            (dict(query.location.scope)["environment"], query.location.path)
        )
        if versions is None:
            raise SecretNotFound("Nothing is stored there; check the key.")
        wanted = _version_number(query.version, latest=len(versions))
        if not 1 <= wanted <= len(versions):
            raise SecretNotFound("That version does not exist; ask for another.")
        return Secret(
            version=str(wanted),
            value=SecretValue(versions[wanted - 1]),
            source=self.source,
            max_age_seconds=self.max_age_seconds,
            note=self.note,
            field_encoding=self.field_encoding,
        )


def _version_number(version: str | None, *, latest: int) -> int:
    if version is None:
        return latest
    if not (version.isascii() and version.isdigit()):
        raise InvalidRequest("A version is a whole number here.")
    return int(version)
