"""From spans to a collector by OTLP over HTTP, beside the event loop and never in its way."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import trace_exporter as otlp
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.version import __version__ as sdk_version
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from typing_extensions import override

from adapters.tracing.attributes import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer
    from pydantic import SecretStr

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

EXPORT_SECONDS: Final = 5.0
"""What one batch may take, its repeated tries included."""

_UNANSWERED = "Check TRACES_ENDPOINT, and that the collector runs and answers."
_ADVICE: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "Check TRACES_HEADERS: the collector wants other credentials.",
    HTTPStatus.FORBIDDEN: "Check TRACES_HEADERS: the collector wants other credentials.",
    HTTPStatus.NOT_FOUND: "Check the path in TRACES_ENDPOINT; mostly it ends in /v1/traces.",
}


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


class OtlpExporter(SpanExporter):
    """Sends batches, from the one thread that the batches are made in.

    Args:
        headers: sent along with each batch.
        ca_file: certificates (PEM) that the collector is checked against instead of the usual ones.
    """

    def __init__(
        self, endpoint: str, headers: Mapping[str, SecretStr], ca_file: Path | None, clock: Clock
    ) -> None:
        self._clock = clock
        self._log = structlog.get_logger()
        self._status: int | None = None
        self._failing_since: float | None = None
        self._lost = 0
        self._session = _session(endpoint)
        self._session.hooks["response"].append(self._note_status)
        # Its own records would come with every batch, and tell less.
        logging.getLogger(otlp.__name__).setLevel(logging.CRITICAL)
        self._otlp = otlp.OTLPSpanExporter(
            endpoint=endpoint,
            certificate_file=DEFAULT_CA_BUNDLE_PATH if ca_file is None else str(ca_file),
            headers={name: value.get_secret_value() for name, value in headers.items()},
            timeout=EXPORT_SECONDS,
            compression=Compression.Gzip,
            session=self._session,
        )

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._status = None
        result = self._otlp.export(spans)
        # The exporter counts a redirect, which it does not follow, as success.
        if result is SpanExportResult.SUCCESS and self._status is not None:
            redirected = self._status >= HTTPStatus.MULTIPLE_CHOICES
            result = SpanExportResult.FAILURE if redirected else result
        if result is SpanExportResult.SUCCESS:
            self._note_success()
        else:
            self._note_failure(len(spans))
        return result

    @override
    def shutdown(self) -> None:
        self._otlp.shutdown()  # type: ignore[no-untyped-call]  # as the library has it

    @override
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._otlp.force_flush(timeout_millis)

    def _note_status(self, response: requests.Response, **_: object) -> None:
        self._status = response.status_code

    def _note_failure(self, spans: int) -> None:
        self._lost += spans
        if self._failing_since is not None:
            return
        self._failing_since = self._clock.monotonic()
        status = self._status
        self._log.warning(
            "traces.export_failed", status=status, spans=spans, advice=_advice(status)
        )

    def _note_success(self) -> None:
        if self._failing_since is None:
            return
        seconds = round(self._clock.monotonic() - self._failing_since, 3)
        self._log.info("traces.export_recovered", seconds=seconds, spans_lost=self._lost)
        self._failing_since, self._lost = None, 0


def _session(endpoint: str) -> requests.Session:
    session = requests.Session()
    # The environment would have a .netrc replace the credentials, and its CA file ours.
    session.trust_env = False
    session.proxies.update(get_environ_proxies(endpoint))
    return session


def _advice(status: int | None) -> str:
    return _UNANSWERED if status is None else _ADVICE.get(status, _UNANSWERED)
