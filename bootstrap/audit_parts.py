"""The audit trail as the service runs it: recording, and its file opened anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.audit.buffered import BufferedSink
    from adapters.audit.sink import AuditSink
    from adapters.telemetry.audit_log import AuditLog


def nothing_to_reopen() -> None:
    """Reopen an audit trail that has no file."""


@dataclass(frozen=True, slots=True)
class AuditParts:
    """What records.

    Attributes:
        reopen: has the file opened anew before its next event, as after a rotation.
        buffers: the sinks in which events may wait, by the names that metrics give them.
    """

    trail: AuditSink
    reopen: Callable[[], None] = nothing_to_reopen
    buffers: Mapping[str, AuditLog | BufferedSink] = field(
        default_factory=lambda: MappingProxyType({})
    )
