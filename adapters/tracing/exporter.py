"""Spans to a collector by OTLP over HTTP, with an outage logged once and without its details."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import trace_exporter as otlp
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan
    from pydantic import SecretStr

    from ports.clock import Clock

EXPORT_SECONDS: Final = 5.0
"""What one batch may take, its repeated tries included."""

_UNANSWERED = "Check TRACES_ENDPOINT, and that the collector runs and answers."
_ADVICE: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "Check TRACES_HEADERS: the collector wants other credentials.",
    HTTPStatus.FORBIDDEN: "Check TRACES_HEADERS: the collector wants other credentials.",
    HTTPStatus.NOT_FOUND: "Check the path in TRACES_ENDPOINT; mostly it ends in /v1/traces.",
}


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
