"""What a running service sends to a collector: a span a request, a child a call, and no names."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bootstrap.version import __version__
from domain.model.errors import SecretNotFound, UpstreamError
from domain.model.policy_properties import PROPERTIES_TYPE
from tests.support.infisical_model import CLIENT_SECRET, Result
from tests.support.otlp_collector import SERVER_KIND, STATUS_ERROR, STATUS_UNSET
from tests.support.service_process import ROOT, ServiceProcess, run_to_its_end
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer
    from tests.support.otlp_collector import OtlpCollector

Settings = dict[str, str]

NAMES = (b"MY_FOLDER", b"MY_KEY", b"my_field", b"shop")
VALUE = "value-that-no-trace-may-show"


def in_a_policy(**properties: str) -> str:
    return json.dumps({"type": PROPERTIES_TYPE, "properties": properties})


async def test_a_request_is_a_span_with_a_child_and_an_answer_from_memory_has_none(
    traced: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    collector: OtlpCollector,
) -> None:
    infisical.model.put("KEY", VALUE)

    async with ServiceProcess(traced, tmp_path) as service:
        await host.get("KEY")
        await host.get("KEY")
        assert await service.stop() == 0

    first, second = collector.requests
    (call,) = collector.calls
    audit = [r for r in service.logged("secret_request") if r["operation"] == "get"]
    assert (first.kind, first.parent_id, first.status) == (SERVER_KIND, b"", STATUS_UNSET)
    assert [span.attributes["served_from"] for span in (first, second)] == ["store", "cache"]
    assert [span.attributes["request_id"] for span in (first, second)] == [
        record["request_id"] for record in audit
    ]
    assert (call.name, call.trace_id, call.parent_id) == (
        "fetch infisical",
        first.trace_id,
        first.span_id,
    )
    assert call.attributes["outcome"] == "answered"
    assert call.attributes["server.port"] == urlsplit(infisical.url).port
    assert second.trace_id != first.trace_id
    assert 0 < call.seconds < first.seconds < 8


async def test_spans_say_which_service_replica_and_release_they_come_from(
    traced: Settings, tmp_path: Path, host: Host, collector: OtlpCollector
) -> None:
    settings = traced | {"OTEL_SERVICE_NAME": "canary", "OTEL_RESOURCE_ATTRIBUTES": "a=canary"}

    async with ServiceProcess(settings, tmp_path) as service:
        with pytest.raises(SecretNotFound):
            await host.get("KEY")
        assert await service.stop() == 0

    resource = collector.requests[0].resource
    assert resource["service.name"] == "wasmcloud-secrets"
    assert resource["service.version"] == __version__
    assert resource["service.instance.id"]
    assert resource["worker"] == 0
    assert not any(b"canary" in body for body in collector.bodies)


async def test_neither_secrets_nor_callers_are_named_and_nothing_secret_is_sent(
    traced: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    collector: OtlpCollector,
) -> None:
    infisical.model.put("MY_KEY", json.dumps({"my_field": VALUE}), folder="/MY_FOLDER")

    async with ServiceProcess(traced, tmp_path) as service:
        await host.get("MY_FOLDER/MY_KEY", field="my_field", policy=in_a_policy(path="/"))
        with pytest.raises(SecretNotFound):
            await host.get("MY_FOLDER/MY_KEY_2")
        assert await service.stop() == 0

    assert len(collector.requests) == 2
    sent = b"".join(collector.bodies)
    tokens = [host.entity_token, host.host_token, CLIENT_SECRET, *infisical.model.valid_tokens]
    for text in (*NAMES, VALUE.encode(), *(token.encode() for token in tokens)):
        assert text not in sent


async def test_where_it_is_allowed_secrets_are_named_and_nothing_secret_is_sent(
    traced: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    collector: OtlpCollector,
) -> None:
    infisical.model.put("MY_KEY", json.dumps({"my_field": VALUE}), folder="/MY_FOLDER")

    async with ServiceProcess(traced | {"TRACES_SECRET_NAMES": "true"}, tmp_path) as service:
        await host.get("MY_FOLDER/MY_KEY", field="my_field", policy=in_a_policy(path="/"))
        assert await service.stop() == 0

    (request,), (call,) = collector.requests, collector.calls
    assert request.attributes["key"] == "MY_FOLDER/MY_KEY"
    assert request.attributes["path"] == call.attributes["path"] == "/MY_FOLDER/MY_KEY"
    assert request.attributes["field"] == "my_field"
    assert request.attributes["application"] == "shop"
    sent = b"".join(collector.bodies)
    tokens = [host.entity_token, host.host_token, CLIENT_SECRET, *infisical.model.valid_tokens]
    for text in (VALUE, *tokens, "properties"):
        assert text.encode() not in sent


async def test_a_failing_store_shows_as_an_error_of_request_and_call_without_its_words(
    traced: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    collector: OtlpCollector,
) -> None:
    infisical.answer = lambda call: (
        infisical.model.answer(call)
        if call.method == "POST"
        else Result(500, {"message": "canary-upstream-words"})
    )
    settings = traced | {"REQUEST_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path, ready="nats.listening") as service:
        with pytest.raises(UpstreamError):
            await host.get("KEY")
        assert await service.stop() == 0

    (request,), (call,) = collector.requests, collector.calls
    assert request.status == call.status == STATUS_ERROR
    assert request.attributes["error"] == "UpstreamError"
    assert not any(b"canary" in body for body in collector.bodies)


async def test_two_workers_send_their_own_spans_and_no_request_is_missing(
    traced: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    collector: OtlpCollector,
) -> None:
    infisical.model.put("KEY", VALUE)
    settings = traced | {"WORKERS": "2"}

    async with ServiceProcess(settings, tmp_path, ready="workers.started") as service:
        await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        assert await service.stop() == 0

    assert len(collector.requests) == 40
    assert {span.resource["worker"] for span in collector.requests} == {0, 1}
    assert len({span.resource["service.instance.id"] for span in collector.requests}) == 2
    by_id = {span.span_id: span for span in collector.requests}
    assert all(call.parent_id in by_id for call in collector.calls)
    assert len(collector.calls) == 2


async def test_spans_leave_while_the_service_runs(
    traced: Settings, tmp_path: Path, host: Host, collector: OtlpCollector
) -> None:
    async with ServiceProcess(traced, tmp_path):
        with pytest.raises(SecretNotFound):
            await host.get("KEY")
        await until(lambda: bool(collector.requests))


async def test_headers_are_sent_and_those_of_other_exporters_are_not(
    traced: Settings, tmp_path: Path, host: Host, collector: OtlpCollector
) -> None:
    file = tmp_path / "headers"
    file.write_text("Authorization=Bearer%20a-collector-token\n", "ascii")
    settings = traced | {
        "TRACES_HEADERS_FILE": str(file),
        "OTEL_EXPORTER_OTLP_HEADERS": "x-other=canary",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_SDK_DISABLED": "true",
    }

    async with ServiceProcess(settings, tmp_path) as service:
        with pytest.raises(SecretNotFound):
            await host.get("KEY")
        assert await service.stop() == 0

    assert collector.requests
    assert all("authorization: bearer a-collector-token\r\n" in head for head in collector.heads)
    assert not any("canary" in head for head in collector.heads)
    assert "a-collector-token" not in service.output


async def test_without_the_extra_the_service_says_what_to_install(
    traced: Settings, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry'] = None\n")
    settings = traced | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}

    code, service = await run_to_its_end(settings, tmp_path)

    assert code == 2
    assert 'pip install "wasmcloud-secrets[otel]"' in service.output
