"""`cache flush`: what is sent, what is shown, and what is said when no replica answers."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from typer.testing import CliRunner, Result

from adapters.nats.connect_errors import NatsConnectError
from bootstrap.cli import cache
from tests.unit.bootstrap.cli.control_server import (
    CHANGED,
    CONTROL,
    NO_RESPONDERS,
    FakeServer,
    Message,
    answer,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.nats.client import ResilientClient


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer([answer("replica-b", 3), answer("replica-a", 12)])

    @asynccontextmanager
    async def open_nats() -> AsyncIterator[ResilientClient]:
        yield cast("ResilientClient", server)

    monkeypatch.setattr(cache, "open_nats", open_nats)
    return server


def flush(*words: str) -> Result:
    return CliRunner().invoke(cache.app, ["flush", "--wait", "0.1", *words])


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["--all"], {"all": True, "scope": {}}),
        (["--folder", "/"], {"all": True, "scope": {}}),
        (["--folder", "/payments/"], {"folder": "/payments", "scope": {}}),
        (["--key", "/a/B"], {"key": "/a/B", "scope": {}}),
        (
            ["--all", "--environment", "dev", "--project", "p-1"],
            {"all": True, "scope": {"environment": "dev", "project_id": "p-1"}},
        ),
    ],
)
def test_what_is_asked_for_is_sent_and_published(
    server: FakeServer, words: list[str], sent: dict[str, Any]
) -> None:
    result = flush(*words)

    assert result.exit_code == 0, result.output
    (control, order), (changed, event) = server.published
    assert (control, changed) == (CONTROL, CHANGED)
    assert order.items() >= {"cause": "flush", "origin": "cache-flush", **sent}.items()
    assert (event["cause"], event["id"], event["replicas"]) == ("flush", order["id"], 2)


def test_each_replica_is_shown_with_what_it_dropped(server: FakeServer) -> None:
    server.replies += [Message(b"not an answer"), answer("replica-b", 4)]

    rows = [line.split() for line in flush("--all").stdout.splitlines()]

    shown = [[word for word in row if word.strip("\u2502")] for row in rows]
    assert ["replica-a", "12"] in shown
    assert ["replica-b", "4"] in shown
    assert ["replica-b", "3"] not in shown


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--key", "/a/NOPE"], "No replica kept a value at /a/NOPE."),
        (["--folder", "/a"], "No replica kept a value at /a."),
        (["--all"], "No replica kept any value."),
    ],
)
def test_a_flush_that_drops_nothing_says_what_to_compare(
    server: FakeServer, words: list[str], hint: str
) -> None:
    server.replies = [answer("replica-a", 0), answer("replica-b", 0)]

    result = flush(*words)

    assert result.exit_code == 0
    assert hint in result.stderr
    assert ("audit trail" in result.stderr) == (words != ["--all"])


def test_a_flush_that_drops_something_anywhere_says_no_more(server: FakeServer) -> None:
    server.replies = [answer("replica-a", 0), answer("replica-b", 1)]

    assert flush("--all").stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all", "--folder", "/"],
        ["--key", "/a", "--folder", "/"],
        ["--key", "API_KEY"],
        ["--key", ""],
        ["--folder", "payments"],
        ["--folder", "/a/../b"],
        ["--all", "--environment", ""],
        ["--all", "--project", "a\x1bb"],
    ],
)
def test_a_flush_of_nothing_definite_is_one_line_of_advice(
    server: FakeServer, words: list[str]
) -> None:
    result = flush(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert server.published == []


@pytest.mark.parametrize(
    ("replies", "words"),
    [([NO_RESPONDERS], f"No service listens on {CONTROL}"), ([], "No replica answered")],
)
def test_silence_is_advice_and_exit_code_1(
    server: FakeServer, replies: list[Message], words: str
) -> None:
    server.replies = replies

    result = flush("--all")

    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert [subject for subject, _ in server.published] == [CONTROL]


@pytest.mark.parametrize("subject", [CONTROL, "_INBOX.x"])
def test_a_user_without_the_permission_is_told_so(server: FakeServer, subject: str) -> None:
    server.replies = []
    server.forbidden = {subject}
    server.denied = f'permissions violation for subscription to "{subject}"'

    result = flush("--all")

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"may not use {subject}" in result.stderr


def test_an_event_that_may_not_be_published_is_a_warning(server: FakeServer) -> None:
    server.forbidden = {CHANGED}

    result = flush("--all")

    assert result.exit_code == 0
    assert "replica-a" in result.stdout
    assert f"may not publish to {CHANGED}" in result.stderr


def test_a_connection_that_is_gone_is_one_line_of_advice(server: FakeServer) -> None:
    server.away = True

    result = flush("--all")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "could not be sent" in result.stderr


def test_a_session_that_cannot_connect_is_one_line_of_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[ResilientClient]:
        raise NatsConnectError("Failed to connect to NATS; check NATS_URL.", reason="refused")
        yield

    monkeypatch.setattr(cache, "open_nats", open_nats)

    result = flush("--all")

    assert (result.exit_code, result.stderr) == (1, "Failed to connect to NATS; check NATS_URL.\n")


def test_prefix_and_backend_of_the_settings_make_the_subjects(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_SUBJECT_PREFIX", "my.secrets")
    monkeypatch.setenv("BACKEND_NAME", "vault")

    assert flush("--all").exit_code == 0
    assert [subject for subject, _ in server.published] == [
        "my.secrets.control.vault.flush",
        "my.secrets.events.vault.changed",
    ]


def test_a_program_gets_the_replicas_and_what_each_dropped(server: FakeServer) -> None:
    result = flush("--all", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"replica": "replica-a", "dropped": 12},
        {"replica": "replica-b", "dropped": 3},
    ]
