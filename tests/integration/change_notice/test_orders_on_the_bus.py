"""Orders that come over NATS: done by each replica, refused where they are none, and permitted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from adapters.change_notice.messages import Cause, Invalidation, ReplicaAnswer, read_answers
from adapters.nats.peer_bus import NatsPeerBus
from bootstrap.cli import cache
from domain.model.selection import Selection
from tests.integration.change_notice.cached_paths import PATHS, fill, forgotten
from tests.integration.change_notice.conftest import CLOCK

if TYPE_CHECKING:
    from adapters.nats.subjects import ControlSubjects
    from tests.integration.change_notice.conftest import Operator, Replica, StartReplica
    from tests.integration.conftest import StartNatsServer


@pytest.mark.parametrize(
    ("words", "dropped", "left_out"),
    [
        (["--all"], 8, set()),
        (["--all", "--environment", "dev"], 4, {("prod", path) for path in PATHS}),
        (["--folder", "/payments"], 4, None),
        (["--key", "/payments/API_KEY", "--environment", "prod"], 1, None),
        (["--key", "/payments/API_KEY", "--project", "p-2"], 0, None),
    ],
)
async def test_a_flush_from_the_command_line_is_done_and_counted_by_both(
    *,
    replicas: list[Replica],
    operator: Operator,
    control: ControlSubjects,
    nats_url: str,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    dropped: int,
    left_out: set[tuple[str, str]] | None,
) -> None:
    await fill(replicas)
    monkeypatch.setenv("NATS_URL", nats_url)
    monkeypatch.setenv("NATS_SUBJECT_PREFIX", control.prefix)

    result = await asyncio.to_thread(CliRunner().invoke, cache.app, ["flush", *words])

    assert result.exit_code == 0, result.output
    rows = [line.replace("\u2502", " ").split() for line in result.stdout.splitlines()]
    assert [row for row in rows if row and row[0].startswith("replica-")] == [
        ["replica-1", str(dropped)],
        ["replica-2", str(dropped)],
    ]
    (event,) = await operator.heard()
    assert (event["cause"], event["replicas"]) == ("flush", 2)
    for replica in replicas:
        gone = await forgotten(replica)
        assert len(gone) == dropped
        assert left_out is None or not gone & left_out


async def test_a_flush_that_nobody_hears_fails_at_once(
    nats_url: str, control: ControlSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", nats_url)
    monkeypatch.setenv("NATS_SUBJECT_PREFIX", control.prefix)
    began = CLOCK.monotonic()

    result = await asyncio.to_thread(
        CliRunner().invoke, cache.app, ["flush", "--all", "--wait", "30"]
    )

    assert result.exit_code == 1
    assert f"No service listens on {control.of('flush')}" in result.stderr
    assert CLOCK.monotonic() - began < 15


async def test_what_is_no_order_is_ignored_and_logged_without_it(
    replicas: list[Replica], operator: Operator, control: ControlSubjects
) -> None:
    await fill(replicas)
    order = Invalidation("id-1", "me", Cause.FLUSH, Selection.everything()).to_json()

    with capture_logs() as log:
        for data in (b"", b"canary", order.replace(b"}", b',"canary":1}'), b"x" * 100_000):
            await operator.client.publish(control.of("flush"), data, reply="_INBOX.canary")
        await operator.client.flush()
        harmless = Invalidation("id-2", "me", Cause.FLUSH, Selection.one("/nothing/HERE"))
        bus = NatsPeerBus(operator.client, control, CLOCK)
        answers = await bus.ask("flush", harmless.to_json())
        assert read_answers(await answers.gather(0.5)) == [
            ReplicaAnswer("replica-1", 0),
            ReplicaAnswer("replica-2", 0),
        ]

    for replica in replicas:
        assert replica.cache.statistics().entries == 2 * len(PATHS)
    ignored = [entry for entry in log if entry["event"] == "change_notice.message_malformed"]
    assert len(ignored) == 4 * len(replicas)
    assert "canary" not in str(log)


@pytest.mark.parametrize("suffix", ["$JS.API.STREAM.CREATE.X", "{prefix}.events.infisical.changed"])
async def test_an_answer_goes_into_nobodys_streams_or_subjects(
    replicas: list[Replica], operator: Operator, control: ControlSubjects, suffix: str
) -> None:
    await fill(replicas)
    heard: list[bytes] = []

    async def hear(message: object) -> None:
        heard.append(getattr(message, "data", b""))

    reply = suffix.format(prefix=control.prefix)
    await operator.client.subscribe(reply, cb=hear)
    order = Invalidation("id-1", "me", Cause.FLUSH, Selection.everything()).to_json()
    await operator.client.publish(control.of("flush"), order, reply=reply)
    async with asyncio.timeout(5):
        while any([await replica.kept() for replica in replicas]):  # noqa: ASYNC110  there is no event
            await asyncio.sleep(0.01)
    for replica in replicas:
        await replica.client.flush()
    await operator.client.flush()

    assert heard == []


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
