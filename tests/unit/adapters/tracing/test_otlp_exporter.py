"""What is sent to a collector, with which headers, and what is logged when it is not taken."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.tracing.export import OtlpExporter
from adapters.tracing.headers import parse_headers
from tests.fakes.clock import FakeClock
from tests.unit.adapters.tracing.recorded_spans import RecordedSpans

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

ENDPOINT = "http://collector.test/v1/traces"
TOKEN = "canary-collector-token"


class Wire(BaseAdapter):
    """Answers with the next status; one that is an exception is raised."""

    def __init__(self, *answers: int | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    @override
    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # only by keyword here
        self.sent.append((request, options))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response.url, response._content = answer, ENDPOINT, b""
        if answer == requests.codes.found:
            response.headers["location"] = "http://elsewhere.test/"
        return response

    @override
    def close(self) -> None:
        pass


class Sending:
    """An exporter on a wire that answers as told."""

    def __init__(self, *answers: int | Exception, ca_file: Path | None = None) -> None:
        self.clock, self.wire = FakeClock(), Wire(*answers)
        headers = {"authorization": SecretStr(f"Bearer {TOKEN}")}
        self.exporter = OtlpExporter(ENDPOINT, headers, ca_file, self.clock)
        self.exporter._session.mount("http://", self.wire)

    def export(self) -> SpanExportResult:
        """Send one span."""
        return self.exporter.export([one_span()])


def one_span() -> ReadableSpan:
    spans = RecordedSpans()
    spans.tracer.start_span("get").end()
    return spans.only


def test_spans_are_sent_compressed_with_the_headers_given_and_certificates_checked() -> None:
    sending = Sending(200)

    with capture_logs() as logs:
        assert sending.export() is SpanExportResult.SUCCESS

    ((request, options),) = sending.wire.sent
    assert request.url == ENDPOINT
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert isinstance(request.body, bytes)
    sent = ExportTraceServiceRequest.FromString(gzip.decompress(request.body))
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "get"
    assert str(options["verify"]).endswith("cacert.pem")
    assert logs == []


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (401, "TRACES_HEADERS"),
        (403, "TRACES_HEADERS"),
        (404, "/v1/traces"),
        (302, "TRACES_ENDPOINT"),
        (418, "TRACES_ENDPOINT"),
        (500, "TRACES_ENDPOINT"),
        (599, "TRACES_ENDPOINT"),
    ],
)
def test_an_answer_that_is_no_success_is_logged_with_what_to_check(
    answer: int, advice: str
) -> None:
    sending = Sending(answer)

    with capture_logs() as logs:
        assert sending.export() is SpanExportResult.FAILURE

    (record,) = logs
    assert (record["event"], record["status"]) == ("traces.export_failed", answer)
    assert advice in record["advice"]


def test_an_outage_is_logged_once_and_its_end_says_what_was_lost() -> None:
    sending = Sending(400, 400, ValueError(TOKEN), 200, 200)

    with capture_logs() as logs:
        for _ in range(3):
            sending.export()
        sending.clock.advance(2.5)
        sending.export()
        sending.export()

    failed, recovered = logs
    assert failed["event"] == "traces.export_failed"
    assert recovered == {
        "event": "traces.export_recovered",
        "log_level": "info",
        "seconds": 2.5,
        "spans_lost": 3,
    }


def test_credentials_stand_in_no_log_line_whatever_fails(caplog: pytest.LogCaptureFixture) -> None:
    sending = Sending(requests.exceptions.InvalidHeader(f"Bearer {TOKEN}"))

    with capture_logs() as logs:
        sending.export()

    assert TOKEN not in str(logs)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(sending.exporter)


def test_neither_a_netrc_nor_a_ca_bundle_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine collector.test login canary password canary", "ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "canary")
    sending = Sending(200, ca_file=tmp_path / "ours.pem")

    sending.export()

    ((request, options),) = sending.wire.sent
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert options["verify"] == str(tmp_path / "ours.pem")


def test_the_environment_s_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    sending = Sending(200)

    sending.export()

    ((_, options),) = sending.wire.sent
    assert options["proxies"]["http"] == "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("Authorization=Bearer%20abc", {"authorization": "Bearer abc"}),
        (" x-team = shop , x-key=a==,", {"x-team": "shop", "x-key": "a=="}),
        ("x-a=1\nx-b=2\n", {"x-a": "1", "x-b": "2"}),
        ("x-a=a%2Cb", {"x-a": "a,b"}),
    ],
)
def test_pairs_are_read(text: str, headers: dict[str, str]) -> None:
    read = parse_headers(text)

    assert {name: value.get_secret_value() for name, value in read.items()} == headers


def test_values_are_hidden() -> None:
    assert "canary" not in repr(parse_headers("x-key=canary"))


@pytest.mark.parametrize(
    "text",
    ["", ",", "canary", "x-key=", "=canary", "x key=canary", "x=canary%0d%0ax-b: 1", "x=canary%00"],
)
def test_anything_else_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="Authorization=Bearer%20TOKEN") as raised:
        parse_headers(text)

    assert "canary" not in str(raised.value)


def test_the_pair_that_is_wrong_is_named_by_its_number() -> None:
    with pytest.raises(ValueError, match="pair 2 is none"):
        parse_headers("x-a=1,x-b")
