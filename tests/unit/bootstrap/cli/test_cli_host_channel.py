"""Commands that ask as a host: what becomes of a subject that NATS denies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from typing_extensions import override

from bootstrap.cli.as_host import HostChannel, not_permitted
from bootstrap.cli.reporting import NotPermittedError
from domain.model.transport import Operation, Reply
from ports.transport import Channel, ChannelError


@dataclass
class Connection:
    denied: str | None = None


class SilentChannel(Channel):
    """Never answers; notes whether it was told to stop waiting."""

    def __init__(self, connection: Connection, denial: str) -> None:
        self._connection = connection
        self._denial = denial
        self.given_up = False

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        self._connection.denied = self._denial
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        raise AssertionError


class AnsweringChannel(Channel):
    def __init__(self, failure: ChannelError | None = None) -> None:
        self._failure = failure

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        if self._failure is not None:
            raise self._failure
        return Reply(f"{operation} {timeout_seconds}".encode() + body, host_xkey)


async def test_a_denied_subject_ends_the_wait_at_once() -> None:
    connection = Connection()
    silent = SilentChannel(connection, 'Permissions Violation for Publish to "a.b.get"')

    with pytest.raises(NotPermittedError, match=r"no permission to publish to a\.b\.get\."):
        await HostChannel(silent, lambda: connection.denied).request(Operation.GET, b"", None, 5)

    assert silent.given_up


async def test_answers_and_failures_pass_as_they_are() -> None:
    channel = HostChannel(AnsweringChannel(), lambda: None)
    failing = HostChannel(AnsweringChannel(ChannelError("x", reason="timeout")), lambda: None)

    assert await channel.request("get", b"!", "XA", 5) == Reply(b"get 5!", "XA")
    with pytest.raises(ChannelError):
        await failing.request("get", b"!", "XA", 5)


@pytest.mark.parametrize(
    ("denial", "says"),
    [
        ("permissions violation for publish to 'a.get'", "publish to a.get."),
        ('Permissions Violation for Subscription to "_INBOX.x.*"', "subscribe to _INBOX.x.*."),
        ('Permissions Violation for Subscription to "a" using queue "q"', "subscribe to a."),
        ("Permissions Violation, in words of another server", "may not do what this command"),
    ],
)
def test_it_says_which_permission_is_missing_and_which_user_has_it(denial: str, says: str) -> None:
    text = str(not_permitted(denial))

    assert says in text
    assert "log in as a host" in text
