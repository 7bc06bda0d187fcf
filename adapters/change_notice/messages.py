"""What processes tell each other, in strict JSON: the order to forget, and each answer to it.

The event `secrets.changed`, schema 1, tells operators: docs/change-notice.md lists its members.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog
from pydantic import ValidationError

from domain.model.errors import InvalidRequest
from domain.model.selection import ROOT, Selection
from domain.model.strict_json import PEER_BRACKETS, MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from adapters.change_notice.wire import WireOrder

INVALIDATE = "invalidate"
"""The topic of orders that replicas send."""

FLUSH = "flush"
"""The topic of orders that operators send."""

MAX_MESSAGE_BYTES = 16 * 1024

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
        from adapters.change_notice.wire import SCHEMA, WireOrder  # noqa: PLC0415  see there

        selected = self.selection
        everything = selected.key is None and selected.folder == ROOT
        order = WireOrder(
            schema=SCHEMA,
            id=self.id,
            origin=self.origin,
            cause=self.cause.value,
            scope=dict(selected.scope),
            key=selected.key,
            folder=None if selected.key is not None or everything else selected.folder,
            all=True if everything else None,
        )
        return order.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one.

        Raises:
            MalformedMessageError: anything else, an unknown member included.
        """
        from adapters.change_notice.wire import WireOrder  # noqa: PLC0415  see there

        try:
            order = WireOrder.model_validate(_parse(data))
            selection = _selection(order)
        except (MalformedJsonError, ValidationError, InvalidRequest):
            selection = None
        if selection is None:
            raise MalformedMessageError("no invalidation")
        return cls(order.id, order.origin, Cause(order.cause), selection)


class ReplicaAnswer(NamedTuple):
    """What one replica did."""

    replica: str
    removed: int

    def to_json(self) -> bytes:
        """Write it."""
        from adapters.change_notice.wire import WireAnswer  # noqa: PLC0415  see there

        return WireAnswer(replica=self.replica, removed=self.removed).model_dump_json().encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one.

        Raises:
            MalformedMessageError: anything else.
        """
        from adapters.change_notice.wire import WireAnswer  # noqa: PLC0415  see there

        try:
            answer = WireAnswer.model_validate(_parse(data))
        except (MalformedJsonError, ValidationError):
            answer = None
        if answer is None:
            raise MalformedMessageError("no answer of a replica")
        return cls(answer.replica, answer.removed)


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


def _selection(order: WireOrder) -> Selection | None:
    scope = tuple(order.scope.items())
    match order.key, order.folder, order.all:
        case str() as key, None, None:
            return Selection.one(key, scope)
        case None, str() as folder, None:
            return Selection.below(folder, scope)
        case None, None, True:
            return Selection.everything(scope)
        case _:
            return None


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
