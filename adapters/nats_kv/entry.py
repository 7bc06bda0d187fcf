"""One revision of one key, as its message in the stream tells it (ADR-8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from adapters.nats_kv import reasons
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nats.js.api import RawStreamMsg


class Operation(StrEnum):
    """What a revision did to its key."""

    PUT = "put"
    DELETE = "delete"
    PURGE = "purge"


OPERATION_HEADER = "KV-Operation"
_OPERATIONS = {"DEL": Operation.DELETE, "PURGE": Operation.PURGE}
_MARKER_HEADER = "Nats-Marker-Reason"  # written by nats-server itself, from 2.11


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision of one key; a deletion has one too."""

    revision: int
    operation: Operation
    created: datetime | None
    sealed: bytes = field(repr=False)


def read_entry(message: RawStreamMsg) -> Entry:
    """Read a message; raises UpstreamError if it tells no revision."""
    if message.seq is None:
        raise UpstreamError(
            "JetStream answered without a revision; check nats-server's version.",
            reason=reasons.ANSWER_MALFORMED,
        )
    return Entry(
        revision=message.seq,
        operation=read_operation(message.headers),
        created=message.time,
        sealed=message.data or b"",
    )


def read_operation(headers: Mapping[str, str] | None) -> Operation:
    """Read what a message did; a marker of a kind unknown here never counts as a value."""
    if not headers:
        return Operation.PUT
    if operation := headers.get(OPERATION_HEADER):
        return _OPERATIONS.get(operation, Operation.PUT)
    return Operation.PURGE if _MARKER_HEADER in headers else Operation.PUT
