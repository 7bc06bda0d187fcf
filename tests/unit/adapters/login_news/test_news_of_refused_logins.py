"""One process tells that its login was refused, the others hear it, and nobody else is meant."""

from __future__ import annotations

import asyncio
import json

import pytest
from nats.errors import ConnectionClosedError
from structlog.testing import capture_logs

from adapters.crypto.control_messages import ControlCodec
from adapters.login_news.broadcast import SEND_SECONDS, LoginNews
from adapters.login_news.message import (
    MAX_MESSAGE_BYTES,
    LoginRefused,
    MalformedNewsError,
    digest_of,
)
from tests.fakes.clock import FakeClock
from tests.unit.adapters.change_notice.nats_in_memory import Message, NatsInMemory

SUBJECT = "wasmcloud.secrets.control.infisical.login_refused"
IDENTITY = digest_of("https://infisical.test/api", "canary-client-id")
ORIGIN = "0123456789abcdef" * 2


class Process:
    """One process, and how often it heard of another's refusal."""

    def __init__(self) -> None:
        self.clock, self.nats, self.heard = FakeClock(), NatsInMemory(), 0
        self.codec = ControlCodec([b"k" * 32], self.clock)
        self.news = LoginNews(self.nats.client, SUBJECT, IDENTITY, self.codec, self.clock)

    async def start(self) -> None:
        def hear() -> None:
            self.heard += 1

        await self.news.start(hear)

    async def get(self, body: bytes) -> None:
        """Hear it from another process of this service."""
        await self.get_raw(self.codec.wrap(SUBJECT, body))

    async def get_raw(self, message: bytes) -> None:
        await self.nats.deliver(Message(SUBJECT, message))


@pytest.fixture
def process() -> Process:
    return Process()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_refusal_reaches_another_process_and_shows_no_client_id(process: Process) -> None:
    other = Process()
    await process.start()
    await other.start()

    process.news.tell()
    await settle()
    (message,) = process.nats.sent_to(SUBJECT)
    await other.get_raw(message)

    assert (process.heard, other.heard) == (0, 1)
    assert b"canary" not in message


async def test_refusals_of_another_identity_are_nobody_s_business(process: Process) -> None:
    await process.start()
    elsewhere = digest_of("https://other.test/api", "canary-client-id")

    await process.get(LoginRefused(elsewhere, ORIGIN).to_json())
    assert process.heard == 0
    await process.get(LoginRefused(IDENTITY, ORIGIN).to_json())

    assert process.heard == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"canary",
        b"[]",
        b"{}",
        json.dumps({"schema": 2, "identity": IDENTITY, "origin": ORIGIN}).encode(),
        json.dumps({"schema": 1, "identity": IDENTITY, "origin": "canary"}).encode(),
        json.dumps({"schema": 1, "identity": IDENTITY + "\n", "origin": ORIGIN}).encode(),
        json.dumps({"schema": 1, "identity": 7, "origin": ORIGIN}).encode(),
        LoginRefused(IDENTITY, ORIGIN).to_json() + b" " * MAX_MESSAGE_BYTES,
    ],
)
async def test_what_is_no_such_message_is_logged_without_its_content(
    process: Process, body: bytes
) -> None:
    await process.start()

    with capture_logs() as logs:
        await process.get(body)

    assert process.heard == 0
    (log,) = logs
    assert (log["event"], log["reason"]) == ("login_news.message_refused", "malformed")
    assert "canary" not in str(log)


@pytest.mark.parametrize("key", [None, b"x" * 32])
async def test_word_of_a_refused_login_is_taken_from_processes_of_this_service_alone(
    process: Process, key: bytes | None
) -> None:
    await process.start()
    body = LoginRefused(IDENTITY, ORIGIN).to_json()
    forged = body if key is None else ControlCodec([key], process.clock).wrap(SUBJECT, body)

    with capture_logs() as logs:
        await process.get_raw(forged)

    assert process.heard == 0
    reason = "malformed" if key is None else "forged"
    assert [log["reason"] for log in logs] == [reason]


async def test_word_of_a_refused_login_that_is_sent_again_is_heard_once(process: Process) -> None:
    await process.start()
    message = process.codec.wrap(SUBJECT, LoginRefused(IDENTITY, ORIGIN).to_json())

    for _ in range(3):
        await process.get_raw(message)

    assert process.heard == 1


async def test_members_that_later_versions_add_are_ignored(process: Process) -> None:
    await process.start()
    members = {"schema": 1, "identity": IDENTITY, "origin": ORIGIN, "more": [1]}

    await process.get(json.dumps(members).encode())

    assert process.heard == 1


async def test_without_nats_nothing_is_told_and_nothing_breaks(process: Process) -> None:
    process.nats.away = True

    with capture_logs() as logs:
        process.news.tell()
        await settle()

    assert logs == [
        {
            "event": "login_news.unsent",
            "error": "ConnectionClosedError",
            "log_level": "warning",
        }
    ]


async def test_a_connection_that_takes_no_subscription_does_not_keep_the_service_from_starting(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(subject: str, **_: object) -> None:
        raise ConnectionClosedError

    monkeypatch.setattr(process.nats, "subscribe", refuse)

    with capture_logs() as logs:
        await process.start()

    assert [log["event"] for log in logs] == ["login_news.not_listening"]


async def test_a_server_that_does_not_confirm_is_not_waited_for(process: Process) -> None:
    process.nats.stuck = True

    with capture_logs() as logs:
        process.news.tell()
        await settle()
        process.clock.advance(SEND_SECONDS)
        await settle()

    assert [log["event"] for log in logs] == ["login_news.unsent"]


async def test_closing_ends_what_is_being_sent(process: Process) -> None:
    process.nats.stuck = True
    process.news.tell()
    await settle()

    await process.news.aclose()
    await process.news.aclose()

    assert {task.get_name() for task in asyncio.all_tasks()} & {"login-news"} == set()


def test_an_identity_that_is_no_digest_is_refused() -> None:
    with pytest.raises(MalformedNewsError):
        LoginNews(
            NatsInMemory().client,
            SUBJECT,
            "canary-client-id",
            ControlCodec([b"k" * 32], FakeClock()),
            FakeClock(),
        )
