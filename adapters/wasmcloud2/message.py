"""One message between the operator and a host, and what was done with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.wasmcloud2.subjects import read_subject

if TYPE_CHECKING:
    from adapters.wasmcloud2.subjects import HostSubject


MAX_BRACKETS: Final = 8192
"""Objects and lists of a request or an answer that is read, those written inside texts included. A
workload has some hundred; a megabyte of them takes a second to parse."""


class Message(NamedTuple):
    """What arrived on the operator's side. `headers`: the raw header block; None for none."""

    subject: bytes
    reply_to: bytes
    body: bytes
    headers: bytes | None

    @property
    def to(self) -> HostSubject:
        """The host, and what it is asked for."""
        return read_subject(self.subject)


@dataclass(slots=True)
class RelayFigures:
    """What was done so far.

    Attributes:
        forwarded: messages passed on, in both directions.
        filled: start requests passed on with secrets in them.
        refused: requests that the relay itself answered with a refusal.
        unsent: messages that could not be passed on.
        rolled: workloads stopped and started for a changed secret.
        rolls_failed: those that did not come back.
    """

    forwarded: int = 0
    filled: int = 0
    refused: int = 0
    unsent: int = 0
    rolled: int = 0
    rolls_failed: int = 0
