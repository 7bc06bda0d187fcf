"""What processes tell each other, in strict JSON: the order to forget, and each answer to it.

The event `secrets.changed`, schema 1, tells operators: docs/change-notice.md lists its members.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from domain.model.errors import InvalidRequest
from domain.model.selection import ROOT, Selection
from domain.model.strict_json import PEER_BRACKETS, MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


INVALIDATE = "invalidate"
"""The topic of orders that replicas send."""

FLUSH = "flush"
"""The topic of orders that operators send."""

MAX_MESSAGE_BYTES = 16 * 1024
MAX_REMOVED = 2**53 - 1
SCHEMA = 1

_log = structlog.get_logger()
_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,128}", re.ASCII)

EVENT: Final = "changed"
EVENT_SCHEMA: Final = 1


class Cause(StrEnum):
    """Why values are to be forgotten."""

    STORE = "store"
    FLUSH = "flush"


class MalformedMessageError(ValueError):
    """The message is none of this protocol. Carries nothing of it."""


def is_name(text: str) -> bool:
    """Whether `text` can name a replica or a sender: up to 128 of `A-Z a-z 0-9 . _ : @ -`."""
    return _NAME.fullmatch(text) is not None


class Invalidation(NamedTuple):
    """An order to every replica.

    Attributes:
        id: names it in logs and in the event.
        origin: who sent it: a replica or a command; a hint for logs.
    """

    id: str
    origin: str
    cause: Cause
    selection: Selection

    def to_json(self) -> bytes:
        """Write it; exactly one of `key`, `folder` and `all` is present."""
        selected = self.selection
        what: dict[str, object] = {"folder": selected.folder}
        if selected.key is not None:
            what = {"key": selected.key}
        elif selected.folder == ROOT:
            what = {"all": True}
        order = {"schema": SCHEMA, "id": self.id, "origin": self.origin, "cause": self.cause.value}
        return _written({**order, "scope": dict(selected.scope), **what})

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one.

        Raises:
            MalformedMessageError: anything else, an unknown member included.
        """
        with suppress(MalformedJsonError, InvalidRequest):
            match _parse(data):
                case {
                    "schema": int() as schema,
                    "id": str() as name,
                    "origin": str() as origin,
                    "cause": "store" | "flush" as cause,
                    "scope": dict() as scope,
                    **what,
                } if _is_whole(schema, SCHEMA, SCHEMA) and is_name(name) and is_name(origin):
                    return cls(name, origin, Cause(cause), _selection(what, scope))
                case _:
                    pass
        raise MalformedMessageError("no invalidation")


class ReplicaAnswer(NamedTuple):
    """What one replica did."""

    replica: str
    removed: int

    def to_json(self) -> bytes:
        """Write it."""
        return _written(self._asdict())

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one.

        Raises:
            MalformedMessageError: anything else.
        """
        with suppress(MalformedJsonError):
            match _parse(data):
                case {"replica": str() as replica, "removed": int() as removed, **rest} if (
                    not rest and is_name(replica) and _is_whole(removed, 0, MAX_REMOVED)
                ):
                    return cls(replica, removed)
        raise MalformedMessageError("no answer of a replica")


def read_answers(messages: Iterable[bytes]) -> list[ReplicaAnswer]:
    """Return one answer a replica, sorted by its name; what is no answer is logged."""
    by_replica: dict[str, ReplicaAnswer] = {}
    for message in messages:
        try:
            answer = ReplicaAnswer.from_json(message)
        except MalformedMessageError:
            _log.warning("change_notice.answer_malformed", size=len(message))
        else:
            by_replica[answer.replica] = answer
    return [by_replica[name] for name in sorted(by_replica)]


def _parse(data: bytes) -> object:
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedJsonError("too long")
    return parse_json(data, max_brackets=PEER_BRACKETS)


def _written(members: dict[str, object]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _is_whole(number: int, least: int, most: int) -> bool:
    # True is an int to Python, and no number to JSON.
    return type(number) is int and least <= number <= most


def _selection(what: dict[object, object], named: dict[object, object]) -> Selection:
    scope = tuple((str(name), text) for name, text in named.items() if isinstance(text, str))
    if len(scope) < len(named):
        raise MalformedJsonError("no scope")
    match [*what.items()]:
        case [("key", str() as key)]:
            return Selection.one(key, scope)
        case [("folder", str() as folder)]:
            return Selection.below(folder, scope)
        case [("all", True)]:
            return Selection.everything(scope)
        case _:
            raise MalformedJsonError("no selection")


def changed_event(invalidation: Invalidation, backend: str, now: float, replicas: int) -> bytes:
    """Write it; it holds no value. `replicas`: how many processes said that they forgot it."""
    selection = invalidation.selection
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return json.dumps(
        {
            "schema": EVENT_SCHEMA,
            "event": "secrets.changed",
            "id": invalidation.id,
            "time": time.replace("+00:00", "Z"),
            "cause": invalidation.cause.value,
            "backend": backend,
            "environment": selection.coordinate("environment"),
            "project_id": selection.coordinate("project_id"),
            "scope": dict(selection.scope),
            "folder": selection.folder if selection.key is None else None,
            "key": selection.key,
            "replicas": replicas,
        }
    ).encode()
