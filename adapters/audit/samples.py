"""The audit trail's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ports.audit import AuditTrail


class Buffer(Protocol):
    """A sink in which events may wait, such as `adapters.audit.buffered.BufferedSink`."""

    @property
    def waiting(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def failing(self) -> bool: ...


def audit_samples(trail: AuditTrail, buffers: Mapping[str, Buffer]) -> Iterator[Sample]:
    """Yield every figure of the audit trail as it is now; `buffers` by the sinks' names."""
    yield Sample(
        "audit_accepting",
        "1 while the audit trail takes events; at 0 requests are refused.",
        trail.accepts(),
    )
    for name, buffer in buffers.items():
        sink = (("sink", name),)
        yield Sample("audit_events_waiting", "Audit events not yet written.", buffer.waiting, sink)
        yield Sample(
            "audit_events_dropped_total", "Audit events lost.", buffer.dropped, sink, "counter"
        )
        yield Sample(
            "audit_sink_failing",
            "1 while the last write failed, otherwise 0.",
            buffer.failing,
            sink,
        )
