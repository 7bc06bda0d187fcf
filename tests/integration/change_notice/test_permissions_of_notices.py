"""The permissions that docs/change-notice.md shows, and a host with those of deploy/nats."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from bootstrap.cli import cache
from tests.integration.change_notice.cached_paths import PATHS, fill

if TYPE_CHECKING:
    from tests.integration.change_notice.conftest import StartReplica
    from tests.integration.conftest import StartNatsServer


LINES = """
accounts {
  SECRETS {
    users: [
      {
        user: backend, password: b
        permissions {
          subscribe: ["wasmcloud.secrets.control.infisical.*", "_INBOX.>"]
          publish: [
            "wasmcloud.secrets.control.infisical.invalidate"
            "wasmcloud.secrets.events.infisical.changed"
            "_INBOX.>"
          ]
        }
      }
      {
        user: operator, password: o
        permissions {
          subscribe: ["wasmcloud.secrets.events.infisical.changed", "_INBOX.>"]
          publish: [
            "wasmcloud.secrets.control.infisical.flush"
            "wasmcloud.secrets.events.infisical.changed"
          ]
        }
      }
      {
        user: host, password: h
        permissions {
          subscribe: ["_INBOX.>"]
          publish: [
            "wasmcloud.secrets.v1alpha1.infisical.server_xkey"
            "wasmcloud.secrets.v1alpha1.infisical.get"
          ]
        }
      }
    ]
  }
}
"""
"""The permissions of docs/change-notice.md, and a host with those of deploy/nats."""


@pytest.fixture
def subject_prefix() -> str:
    """The prefix that the permissions name."""
    return "wasmcloud.secrets"


async def test_permissions_let_backend_and_operator_do_this_and_keep_hosts_out(
    start_nats_server: StartNatsServer,
    start_replica: StartReplica,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await start_nats_server(LINES)
    address = f"127.0.0.1:{server.port}"
    replicas = [await start_replica(f"r{n}", f"nats://backend:b@{address}") for n in (1, 2)]
    await fill(replicas)

    monkeypatch.setenv("NATS_URL", f"nats://host:h@{address}")
    denied = await asyncio.to_thread(CliRunner().invoke, cache.app, ["flush", "--all"])
    assert (denied.exit_code, denied.stdout) == (1, "")
    assert "may not use wasmcloud.secrets.control.infisical.flush" in denied.stderr
    for replica in replicas:
        assert await replica.kept() == 2 * len(PATHS)

    monkeypatch.setenv("NATS_URL", f"nats://operator:o@{address}")
    allowed = await asyncio.to_thread(CliRunner().invoke, cache.app, ["flush", "--all"])
    assert (allowed.exit_code, allowed.stderr) == (0, "")
    assert (await replicas[0].webhook()).status_code == 204
    await replicas[0].notices.aclose()
    for replica in replicas:
        assert await replica.kept() == 0
        assert replica.client.denied is None
