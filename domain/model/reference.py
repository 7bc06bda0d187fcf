"""Which secret is asked for: the request's words and the store's canonical location."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import Caller
    from domain.model.secret import SecretValue
    from domain.model.workload import Workload

Folder: TypeAlias = "tuple[tuple[tuple[str, str], ...], str]"
"""A folder in one store: the scope, and the path without the "/" at its end."""

NO_PROPERTIES: Mapping[str, str] = MappingProxyType({})


class SecretReference(NamedTuple):
    """A secret as the request names it, before any store has read meaning into it.

    Attributes:
        key: the manifest's `key`, as sent.
        properties: the manifest's policy properties; they choose within what the operator allows.
        field: the manifest's `field`, as sent. A store whose objects hold several values takes
            it into the location; for every other store the core selects it from the value.
    """

    key: str
    properties: Mapping[str, str] = NO_PROPERTIES
    field: str | None = None


class SecretLocation(NamedTuple):
    """One place in one store, in the single form that rules, caches and audit compare.

    Two references to the same secret give equal locations. A named tuple, as the query below: a
    cache hashes the one for every request, and every request makes the other.

    Attributes:
        path: the canonical path of the secret inside its scope: "/", then folders and the secret's
            own name joined by "/".
        scope: the store's own coordinates around the path, sorted by name, such as
            (("environment", "prod"), ("project_id", "…")).
        encoding: how the stored value is to be read: None as it is, otherwise a word of the store
            such as "base64".
        field: the request's field where the store selects it itself, so that a binary field stays
            binary; None where the core selects it from the value.
    """

    path: str
    scope: tuple[tuple[str, str], ...] = ()
    encoding: str | None = None
    field: str | None = None

    @property
    def folder(self) -> Folder:
        """The scope and the folder that this place lies in: what is slow is often slow together."""
        return (self.scope, self.path.rpartition("/")[0])


class SecretQuery(NamedTuple):
    """What the core asks a store for.

    Attributes:
        version: the version wanted, in the store's own terms; None means the latest.
        caller: the verified caller, for stores that log in as the component; or a workload, which
            no token names: `domain.model.workload.signed` refuses it where a token is needed.
        deadline: monotonic seconds (`ports.clock.Clock.monotonic`) after which no request waits.
        entity_token: the verified token of the component or provider, as sent; only for a store
            whose plug-in declares `needs_entity_token`, None for every other.
    """

    location: SecretLocation
    version: str | None
    caller: Caller | Workload
    deadline: float
    entity_token: SecretValue | None = None
