"""Spans leave by a thread of their own, which neither requests nor the stop ever wait for long."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.tracing.export import FLUSH_SECONDS, QUEUE_SPANS, SpanExport
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

RESOURCE: dict[str, str | int] = {"service.name": "secrets"}


class Collector(SpanExporter):
    """Keeps what it gets; while `gate` is cleared it hangs."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.gate = threading.Event()
        self.gate.set()
        self.closed = threading.Event()

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.gate.wait()
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    @override
    def shutdown(self) -> None:
        self.closed.set()


class Exporting:
    """A started export on a collector in memory."""

    def __init__(self, sample_ratio: float = 1.0) -> None:
        self.clock, self.collector = FakeClock(), Collector()
        self.export = SpanExport(
            self.collector, self.clock, sample_ratio=sample_ratio, resource=RESOURCE
        )
        self.tracer = self.export.tracer("1")
        self.export.start()

    def span(self, name: str = "span") -> None:
        """Begin a span and end it."""
        self.tracer.start_span(name).end()


async def test_closing_sends_what_is_waiting() -> None:
    exporting = Exporting()
    for number in range(1000):
        exporting.span(str(number))

    await exporting.export.aclose()

    assert [span.name for span in exporting.collector.spans] == list(map(str, range(1000)))
    assert exporting.collector.closed.is_set()


async def test_a_collector_that_hangs_holds_neither_spans_nor_the_stop_up() -> None:
    exporting = Exporting()
    exporting.collector.gate.clear()
    for _ in range(3 * QUEUE_SPANS):
        exporting.span()

    with capture_logs() as logs:
        closing = asyncio.create_task(exporting.export.aclose())
        await asyncio.sleep(0)
        exporting.clock.advance(FLUSH_SECONDS)
        await closing

    assert [record["event"] for record in logs if record["event"].startswith("traces")] == [
        "traces.not_flushed"
    ]
    exporting.collector.gate.set()
    assert exporting.collector.closed.wait(10)
    assert len(exporting.collector.spans) <= QUEUE_SPANS + 512


async def test_what_was_never_started_is_closed_at_once() -> None:
    clock, collector = FakeClock(), Collector()

    await SpanExport(collector, clock, sample_ratio=1, resource={}).aclose()

    assert not collector.closed.is_set()


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0.0, 0, 0), (0.5, 350, 650), (1.0, 1000, 1000)]
)
async def test_the_asked_share_of_requests_is_traced(ratio: float, least: int, most: int) -> None:
    exporting = Exporting(ratio)
    for _ in range(1000):
        exporting.span()

    await exporting.export.aclose()

    assert least <= len(exporting.collector.spans) <= most


async def test_the_library_s_own_variables_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "OTEL_BSP_MAX_QUEUE_SIZE": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "none",
        "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
        "OTEL_RESOURCE_ATTRIBUTES": "canary=1",
        "OTEL_SERVICE_NAME": "canary",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
        "OTEL_TRACES_SAMPLER": "always_off",
    }.items():
        monkeypatch.setenv(name, text)
    exporting = Exporting()
    exporting.tracer.start_span("a", attributes={"kept": True}).end()
    exporting.span("b")

    await exporting.export.aclose()

    first, _ = exporting.collector.spans
    assert first.attributes == {"kept": True}
    assert first.resource.attributes["service.name"] == "secrets"
    assert "canary" not in first.resource.attributes


async def test_nothing_is_made_the_process_s_own() -> None:
    exporting = Exporting()
    await exporting.export.aclose()

    trace.get_tracer("other").start_span("other").end()

    assert not exporting.collector.spans
