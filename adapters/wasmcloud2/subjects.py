"""Where the operator and the hosts of wasmCloud 2 meet on NATS."""

from __future__ import annotations

from typing import Final, NamedTuple

REQUESTS: Final = "runtime.host.>"
"""Operator to host: `runtime.host.{host}.{what}`, answered by the host."""

HEARTBEATS: Final = "runtime.operator.>"
"""Host to operator: `runtime.operator.heartbeat.{host}`."""

START: Final = "workload.start"
STOP: Final = "workload.stop"
STATUS: Final = "workload.status"

_HEAD: Final = b"runtime.host."


class HostSubject(NamedTuple):
    """One request's address.

    Attributes:
        host: the host's id.
        what: such as "workload.start".
    """

    host: str
    what: str


def read_subject(subject: bytes) -> HostSubject:
    """Split a subject that matched `REQUESTS`."""
    host, _, what = subject.removeprefix(_HEAD).decode("utf-8", "replace").partition(".")
    return HostSubject(host, what)


def subject_of(host: str, what: str) -> bytes:
    """Return where a host takes a request."""
    return f"runtime.host.{host}.{what}".encode()
