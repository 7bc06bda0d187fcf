"""From spans to a collector, beside the event loop and never in its way."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.version import __version__ as sdk_version

from adapters.tracing.attributes import MAX_TEXT
from adapters.tracing.exporter import EXPORT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

    from ports.clock import Clock

FLUSH_SECONDS: Final = 3.0
"""What the last spans may hold up the stop."""

QUEUE_SPANS: Final = 8192
"""Spans that may wait; beyond, the oldest are dropped. One takes about 3 KB."""

BATCH_SPANS: Final = 256
"""Writing a span takes the interpreter from the event loop, so batches are small."""

BATCH_SECONDS: Final = 2.0
_MAX_ATTRIBUTES: Final = 32

_log = structlog.get_logger()


class SpanExport:
    """One process's tracer and the thread that carries its spans away.

    Every option of the SDK that reads an environment variable by default is given here.

    Args:
        sample_ratio: the share of requests that are traced, 0 to 1.
        resource: what all spans have in common, such as `service.name`.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        clock: Clock,
        *,
        sample_ratio: float,
        resource: Mapping[str, str | int],
    ) -> None:
        self._exporter = exporter
        self._clock = clock
        self._started = False
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource(
                {
                    "telemetry.sdk.language": "python",
                    "telemetry.sdk.name": "opentelemetry",
                    "telemetry.sdk.version": sdk_version,
                    **resource,
                }
            ),
            # At the interpreter's exit it would wait half a minute for a collector that hangs.
            shutdown_on_exit=False,
            id_generator=RandomIdGenerator(),
            span_limits=SpanLimits(
                max_attributes=_MAX_ATTRIBUTES,
                max_events=0,
                max_links=0,
                max_span_attributes=_MAX_ATTRIBUTES,
                max_event_attributes=0,
                max_link_attributes=0,
                max_attribute_length=MAX_TEXT,
                max_span_attribute_length=MAX_TEXT,
            ),
            meter_provider=NoOpMeterProvider(),
        )

    def tracer(self, version: str) -> Tracer:
        """Return what begins spans; they go nowhere before `start`."""
        return self._provider.get_tracer("wasmcloud-secrets", version)

    def start(self) -> None:
        """Start the thread; call it once."""
        self._started = True
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=QUEUE_SPANS,
                schedule_delay_millis=BATCH_SECONDS * 1000,
                max_export_batch_size=BATCH_SPANS,
                export_timeout_millis=EXPORT_SECONDS * 1000,
                meter_provider=NoOpMeterProvider(),
            )
        )

    async def aclose(self) -> None:
        """Send what is waiting, within `FLUSH_SECONDS`, and take no more."""
        if not self._started:
            return
        loop, finished = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            # Too late for a loop that did not wait.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(finished.set)

        # Neither asyncio nor the interpreter waits for a daemon thread, as they do for executors'.
        threading.Thread(target=shut_down, name="traces-shutdown", daemon=True).start()
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + FLUSH_SECONDS):
                await finished.wait()
        except TimeoutError:
            _log.warning(
                "traces.not_flushed",
                seconds=FLUSH_SECONDS,
                meaning="The collector did not take the last spans in time; they are lost.",
            )
