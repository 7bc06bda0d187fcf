"""Messages between the operator and the hosts of wasmCloud 2, and what was done with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.wasmcloud2.relay import Relay


REQUESTS: Final = "runtime.host.>"
"""Operator to host: `runtime.host.{host}.{what}`, answered by the host."""

HEARTBEATS: Final = "runtime.operator.>"
"""Host to operator: `runtime.operator.heartbeat.{host}`."""

START: Final = "workload.start"
STOP: Final = "workload.stop"
STATUS: Final = "workload.status"

_HEAD: Final = b"runtime.host."

RUNNING: Final = "RUNNING"
STARTING: Final = "STARTING"
NOT_FOUND: Final = "NOT_FOUND"
LIVES: Final = frozenset({RUNNING, STARTING})

MAX_BRACKETS: Final = 8192
"""Objects and lists of a request or an answer that is read, those written inside texts included. A
workload has some hundred; a megabyte of them takes a second to parse."""


class HostSubject(NamedTuple):
    """One request's address: the host's id, and what it is asked for as `START` is."""

    host: str
    what: str


def read_subject(subject: bytes) -> HostSubject:
    """Split a subject that matched `REQUESTS`."""
    host, _, what = subject.removeprefix(_HEAD).decode("utf-8", "replace").partition(".")
    return HostSubject(host, what)


def subject_of(host: str, what: str) -> bytes:
    """Return where a host takes a request."""
    return f"runtime.host.{host}.{what}".encode()


class WorkloadStatus(NamedTuple):
    """A host's answer. `state`: without its prefix, such as "RUNNING"."""

    workload_id: str
    state: str
    message: str


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
    """What was done so far; `relay_samples` says what each of them counts."""

    forwarded: int = 0
    filled: int = 0
    refused: int = 0
    unsent: int = 0
    rolled: int = 0
    rolls_failed: int = 0


def relay_samples(relay: Relay, connected: Mapping[str, bool]) -> Iterable[Sample]:
    """Yield what passes, what holds secrets, and what was refused or lost. `connected`: whether
    each side's NATS is.
    """
    figures = relay.figures
    yield Sample("relay_in_flight", "Messages that wait for an answer.", relay.in_flight)
    yield Sample("relay_workloads", "Workloads that run with secrets.", len(relay.held))
    for side, is_connected in connected.items():
        yield Sample(
            "relay_connected",
            "1 while connected to that side's NATS, otherwise 0.",
            is_connected,
            (("side", side),),
        )
    for name, meaning, count in (
        ("forwarded", "Messages passed on, in both directions.", figures.forwarded),
        ("filled", "Start requests passed on with secrets in them.", figures.filled),
        ("refused", "Requests that the relay itself refused.", figures.refused),
        ("unsent", "Messages that could not be passed on.", figures.unsent),
        ("rolled", "Workloads rolled for a changed secret.", figures.rolled),
        ("rolls_failed", "Rolled workloads that did not come back.", figures.rolls_failed),
    ):
        yield Sample(f"relay_{name}_total", meaning, count, kind="counter")
