"""What the console shows, and whom it asks for that."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from prometheus_client import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaFacts:
    """What stays the same for as long as the process runs.

    Attributes:
        worker: this process's number, from 0.
        first_port: the port of worker 0; each further one listens one port further on.
        addresses: where the transport takes requests, by name, as its log line has them.
        started_at: seconds since the epoch.
    """

    version: str
    replica: str
    worker: int
    workers: int
    first_port: int
    store: str
    transport: str
    backend: str
    addresses: Mapping[str, str]
    started_at: float


@dataclass(frozen=True, slots=True)
class Check:
    """The last verdict of one check of readiness. `advice`: what to do about it; may be said of a
    check that holds.
    """

    name: str
    ok: bool
    advice: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """Public xkeys: the one that hosts are told, and those that are opened beside it."""

    announced: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One grant or denial, and the line of the policy file that it begins on."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The access rules in force.

    Attributes:
        origin: "policy_file", "trusted_issuers" or "none".
        mode: AUTHORIZATION_MODE.
        digest: SHA-256 of the policy file in force.
        loaded_at: seconds since the epoch.
        issuers: each trusted account's key and its name, "" where it has none.
        problems: why the file on disk is not what is in force.
        warnings: rules that can match nothing.
    """

    origin: str
    mode: str
    digest: str | None = None
    loaded_at: float | None = None
    issuers: tuple[tuple[str, str], ...] = ()
    grants: tuple[Rule, ...] = ()
    denials: tuple[Rule, ...] = ()
    revoked: int = 0
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that was never sent: what would become of it?

    Attributes:
        token: the entity's.
        key: as the manifest has it.
        every_grant: explain every grant, not only the nearest.
    """

    token: str = dataclasses.field(repr=False)
    key: str
    field: str | None = None
    version: str | None = None
    properties: Mapping[str, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    application: str | None = None
    host: str | None = None
    account: str | None = None
    user: str | None = None
    every_grant: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules in force say.

    Attributes:
        allowed: whether the secret would be given; None if the token is refused before any rule.
        reason: the constant code; "" without a decision.
        place: where the store would look, in words.
        lines: the explanation.
    """

    allowed: bool | None
    reason: str
    lines: tuple[str, ...]
    place: str = ""


class Sources(Protocol):
    """The replica, as the console reads it. Nothing of it holds a value, a token or a seed."""

    facts: ReplicaFacts
    keys: ServerKeys

    @abstractmethod
    def now(self) -> float:
        """Return seconds since the epoch."""

    @abstractmethod
    async def checks(self) -> Sequence[Check]:
        """Return a verdict for every check of readiness."""

    @abstractmethod
    def figures(self) -> Iterable[Metric]:
        """Return the metrics as they are now."""

    @abstractmethod
    def policy(self) -> Policy:
        """Return the access rules in force."""

    @abstractmethod
    def judge(self, question: Question) -> Awaitable[Judgement]:
        """Say what would become of a request, and why; asks no store."""
