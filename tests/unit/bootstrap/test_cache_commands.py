"""`cache flush`: what is sent, what is shown, and what is said when no replica answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from typer.testing import CliRunner, Result

from adapters.change_notice.messages import ReplicaAnswer
from adapters.nats.connect_errors import NatsConnectError
from bootstrap.cli import cache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from adapters.nats.client import ResilientClient

CONTROL = "wasmcloud.secrets.control.infisical.flush"
CHANGED = "wasmcloud.secrets.events.infisical.changed"


@dataclass
class Message:
    data: bytes
    headers: dict[str, str] | None = None


class Subscription:
    async def unsubscribe(self) -> None:
        """Nothing is held."""


@dataclass
class FakeServer:
    """A connection whose server answers every order at once.

    Attributes:
        replies: what comes back.
        forbidden: subjects this user may not publish to.
        published: subject and document of each message taken.
    """

    replies: list[Message] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    away: bool = False
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    denied: str | None = None
    is_connected: bool = True
    _take: Callable[[Any], Awaitable[None]] | None = None

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, _: str, *, cb: Callable[[Any], Awaitable[None]]) -> Subscription:
        self._take = cb
        return Subscription()

    async def publish(
        self, subject: str, payload: bytes, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        if self.away:
            raise OSError
        if subject in self.forbidden:
            self.denied = f'permissions violation for publish to "{subject}"'
            return
        self.published.append((subject, json.loads(payload)))
        if reply and self._take:
            for message in self.replies:
                await self._take(message)

    async def flush(self) -> None:
        await asyncio.sleep(0)


NO_RESPONDERS = Message(b"", {"Status": "503"})


def answer(replica: str, removed: int) -> Message:
    return Message(ReplicaAnswer(replica, removed).to_json())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer([answer("replica-b", 3), answer("replica-a", 12)])

    @asynccontextmanager
    async def open_nats() -> AsyncIterator[ResilientClient]:
        yield cast("ResilientClient", server)

    monkeypatch.setattr(cache, "session", lambda: open_nats)
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

    monkeypatch.setattr(cache, "session", lambda: open_nats)

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


def test_the_session_is_the_commands_own() -> None:
    assert cache.session().__name__ == "open_nats"  # type: ignore[attr-defined]  # a function


def test_a_program_gets_the_replicas_and_what_each_dropped(server: FakeServer) -> None:
    result = flush("--all", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"replica": "replica-a", "dropped": 12},
        {"replica": "replica-b", "dropped": 3},
    ]
