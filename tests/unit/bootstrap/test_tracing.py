"""Traces are made where an endpoint is set, and cost nothing where none is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.tracing.export import SpanExport
from adapters.tracing.request_handler import TracedAuditTrail, TracedRequestHandler
from adapters.tracing.secret_store import TracedSecretStore
from adapters.tracing.tracer import OtlpTracing
from adapters.upstream.bounded_store import BoundedSecretStore
from bootstrap.containers import Container
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import SettingsError
from bootstrap.tracing import NoTracing, resource
from bootstrap.workers.worker_config import RestartHistory
from tests.support.environments import (
    configuration,
    infisical_environment,
    nats_kv_environment,
)
from tests.support.service_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.metrics.secret_store import MeteredSecretStore
    from ports.secret_store import SecretStore

TRACES = {"TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}

BUILD_A_SERVICE = """
import sys
from bootstrap.containers import Container
from bootstrap.main import load_configuration, load_server_keys

configuration = load_configuration()
Container(
    configuration=configuration, keys=load_server_keys(configuration.service)
).service()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "requests"}))
"""


def container(**variables: Any) -> Container:
    given = configuration(**variables)
    return Container(configuration=given, keys=load_server_keys(given.service))


def modules_of_a_service(folder: Path, **variables: str) -> str:
    """Build a service in a process of its own, and return which of the extra's modules it has."""
    run = subprocess.run(
        [sys.executable, "-c", BUILD_A_SERVICE],
        env=infisical_environment() | {"PYTHONPATH": str(ROOT)} | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()[-1]


def bounded(layer: MeteredSecretStore | TracedSecretStore) -> SecretStore:
    """Return what lies below the bound on time that every store gets."""
    inner = layer._inner
    assert isinstance(inner, BoundedSecretStore)
    return inner.inner


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported(tmp_path: Path) -> None:
    assert modules_of_a_service(tmp_path) == "[]"


def test_with_one_it_is_and_no_variable_of_its_own_breaks_that(tmp_path: Path) -> None:
    broken = {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many", "OTEL_PYTHON_CONTEXT": "canary"}

    modules = modules_of_a_service(tmp_path, **TRACES, **broken)

    assert modules == "['opentelemetry', 'requests']"


def test_without_an_endpoint_nothing_is_put_around_anything() -> None:
    built = container(**infisical_environment(), ADMIN_ADDR=":9090")

    pipeline = built.pipeline()

    assert isinstance(built.tracing(), NoTracing)
    assert built.service().handler is built.handler()
    assert isinstance(built.trail(), MeteredAuditTrail)
    assert built.handler().audit is built.trail()
    assert pipeline.metered is not None
    assert bounded(pipeline.metered) is built.store().store


def test_with_an_endpoint_spans_are_made_around_core_trail_and_store() -> None:
    built = container(**infisical_environment(), **TRACES, ADMIN_ADDR=":9090")

    pipeline, handler, trail = built.pipeline(), built.service().handler, built.handler().audit

    assert isinstance(handler, TracedRequestHandler)
    assert handler._inner is built.handler()
    assert isinstance(trail, TracedAuditTrail)
    assert isinstance(trail._inner, MeteredAuditTrail)
    assert pipeline.metered is not None
    traced = pipeline.metered._inner
    assert isinstance(traced, TracedSecretStore)
    assert bounded(traced) is built.store().store
    tracing = built.tracing()
    assert isinstance(tracing, OtlpTracing)
    assert isinstance(tracing._export, SpanExport)


def test_without_metrics_spans_stand_directly_inside_the_breaker() -> None:
    breaker = container(**infisical_environment(), **TRACES).pipeline().breaker

    assert isinstance(breaker._inner, TracedSecretStore)


def test_secrets_are_named_only_where_the_operator_says_so() -> None:
    for text, allowed in (("false", False), ("true", True)):
        built = container(**infisical_environment(), **TRACES, TRACES_SECRET_NAMES=text)
        trail = built.trail()
        breaker = built.pipeline().breaker
        assert isinstance(trail, TracedAuditTrail)
        assert trail._names_allowed is allowed
        assert isinstance(breaker._inner, TracedSecretStore)
        assert breaker._inner._names_allowed is allowed


@pytest.mark.parametrize("module", ["opentelemetry", "requests", "opentelemetry.exporter.otlp"])
def test_a_missing_extra_ends_the_start_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    for name in tuple(sys.modules):
        if name.startswith(("opentelemetry", "requests", "adapters.tracing")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(SettingsError, match=r'pip install "wasmcloud-secrets\[otel\]"'):
        container(**infisical_environment(), **TRACES).service()


def test_a_file_without_headers_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="TRACES_HEADERS_FILE"):
        container(**infisical_environment(), **TRACES, TRACES_HEADERS_FILE=__file__).service()


@pytest.mark.parametrize(
    ("variables", "server"),
    [
        (
            {"INFISICAL_BASE_URL": "https://a.test"},
            {"server.address": "a.test", "server.port": 443},
        ),
        (
            {"INFISICAL_BASE_URL": "http://a.test:81"},
            {"server.address": "a.test", "server.port": 81},
        ),
        (
            {"SECRET_STORE": "nats-kv", "NATS_URL": "nats://u:p@n.test"},
            {"server.address": "n.test", "server.port": 4222},
        ),
        ({"SECRET_STORE": "nats-kv", "NATS_URL": "nats://a.test,nats://b.test"}, {}),
    ],
)
def test_the_store_s_address_is_known_where_there_is_one(
    tmp_path: Path, variables: dict[str, str], server: dict[str, str | int]
) -> None:
    given = nats_kv_environment(tmp_path) | infisical_environment()
    built = container(**given | {"SECRET_STORE": "infisical"} | TRACES | variables)

    store = built.pipeline().breaker._inner
    assert isinstance(store, TracedSecretStore)
    common = store._common
    assert {name: common[name] for name in common if name.startswith("server.")} == server


def test_a_process_says_which_replica_and_worker_it_is() -> None:
    given = configuration(**infisical_environment())

    said = resource(replace(given, history=RestartHistory(3)))

    assert said["service.name"] == "wasmcloud-secrets"
    assert said["service.instance.id"].endswith(f":{said['process.pid']}")  # type: ignore[union-attr]  # it is text
    assert said["wasmcloud_secrets.worker"] == 3
    assert said["wasmcloud_secrets.backend"] == "infisical"
