"""What the span of one request says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.tracing.request_handler import TracedAuditTrail
from tests.fakes.audit import FakeAuditTrail
from tests.unit.adapters.tracing.recorded_spans import RecordedSpans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from domain.model.audit import AuditEvent


def told(event: AuditEvent, *, names_allowed: bool = False) -> ReadableSpan:
    """Record an event inside a span, and return the span."""
    spans = RecordedSpans()
    trail = TracedAuditTrail(FakeAuditTrail(), names_allowed=names_allowed)
    with spans.tracer.start_as_current_span("request"):
        trail.record(event)
    return spans.only
