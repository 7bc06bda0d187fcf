"""What is not configured is not loaded: libraries are most of the time that a start takes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.environments import infisical_environment, nats_kv_environment
from tests.support.service_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BUILD = """\
import sys
from bootstrap.main import load_configuration, load_server_keys
from bootstrap.containers import Container

configuration = load_configuration()
Container(
    configuration=configuration, keys=load_server_keys(configuration.service)
).service()
print(*sys.modules)
"""

ADMIN = {
    "adapters.admin_http.readiness",
    "adapters.metrics.audit_trail",
    "adapters.metrics.secret_store",
    "prometheus_client",
    "starlette.applications",
    "uvicorn",
}
POLICY = {"adapters.access_policy.file"}
AUDIT_FILE = {"adapters.audit.file"}
INFISICAL = {"adapters.upstream.http1.engine"}
UNUSED = {"adapters.vault.store", "adapters.kubernetes.store"}
NATS_KV = {"adapters.nats_kv.store", "nats.js.api"}
LIBRARIES = {"aiohttp", "jinja2", "rich", "typer", "yaml"}
"""What other stores, the console, the commands and files of rules need."""
WEBHOOK = {"adapters.infisical.webhook"}


def loaded_by(environment: dict[str, str], folder: Path) -> set[str]:
    """Build a whole service in a process of its own, and return what that loaded."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("variables", "loaded"),
    [
        ({}, set[str]()),
        ({"ADMIN_ADDR": ":9090"}, ADMIN),
        ({"ADMIN_ADDR": ":9090", "INFISICAL_WEBHOOK_KEY": "a-key-for-webhooks"}, ADMIN | WEBHOOK),
        ({"ACCESS_POLICY_FILE": __file__}, POLICY),
        ({"AUDIT_FILE": "audit.jsonl"}, AUDIT_FILE),
    ],
)
def test_with_infisical_only_what_is_configured_is_loaded(
    variables: dict[str, str], loaded: set[str], tmp_path: Path
) -> None:
    found = loaded_by(infisical_environment() | variables, tmp_path)

    assert found & (ADMIN | POLICY | AUDIT_FILE | WEBHOOK | NATS_KV) == loaded
    assert found >= INFISICAL
    assert not found & UNUSED


def test_with_nats_kv_no_http_engine_is_loaded(tmp_path: Path) -> None:
    found = loaded_by(nats_kv_environment(tmp_path), tmp_path)

    assert not found & (INFISICAL | UNUSED | ADMIN | POLICY | LIBRARIES)
    assert found >= NATS_KV
