"""Whether a host on this connection would be answered: found out by asking, not by assuming.

A server takes subscriptions away without ending the connection: on a reload of its permissions, or
by a restart with others. It tells so once, and nats-py subscribes again after a reconnect only. So
each round sends every standing SUB once more (nats-server ignores one whose number it holds, checks
the permission first, and answers -ERR where it is missing), and then asks for the server xkey the
way hosts do, which finds what no error tells: a reply that may not be sent, an inbox that is deaf.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from typing import TYPE_CHECKING, Final

import structlog
from nats import errors

from adapters.nats.headers import NO_RESPONDERS_START
from adapters.nats.own_limit import SMALLEST_REQUEST_BYTES, USUAL_REQUEST_BYTES
from adapters.nats.raw_messages import SELF_CHECK
from domain.model.transport import Operation

if TYPE_CHECKING:
    from adapters.nats.client import ResilientClient
    from adapters.nats.subjects import SecretsSubjects
    from ports.clock import Clock

ROUND_SECONDS: Final = 3.0
TROUBLED_ROUND_SECONDS: Final = 1.0
"""While hosts would not be answered: what is given back is to be noticed soon."""

_ANSWER_SECONDS: Final = 2.0
_HEADER_BYTES: Final = 64
_LOOK_AGAIN_ROUNDS: Final = 3
_LATE_SECONDS: Final = 1.0
_RECENT_SECONDS: Final = 6.0
_MISSES: Final = 2
"""One unanswered question may be a reconnect or a busy moment."""

_log = structlog.get_logger()


class SelfCheck:
    """Watches what hangs on a connection, and asks for it again until it is back.

    Args:
        client: whose subscriptions are watched.
        subjects: where requests are taken.
        inbox: what the reply subject of its own question begins with; requests are answered there.
    """

    def __init__(
        self, client: ResilientClient, subjects: SecretsSubjects, inbox: str, clock: Clock
    ) -> None:
        self._client = client
        self._requests = frozenset({subjects.every_operation, subjects.of(Operation.GET)})
        self._question = subjects.of(Operation.SERVER_XKEY)
        self._inbox = f"{inbox}.{secrets.token_hex(12)}"
        self._clock = clock
        self._granted: frozenset[str] = frozenset()
        self._listening = False
        self._answer: asyncio.Future[bool] | None = None
        self._misses = 0
        self._reason = ""
        self._small_rounds = 0
        self._due = math.inf
        self._late, self._woken_late = 0.0, -math.inf
        self._told: str | None = None

    def problem(self) -> str | None:
        """Return what keeps hosts from being answered, as advice; None if nothing does."""
        refused = self._client.refused
        lost = sorted(refused & (self._granted | self._requests))
        if lost:
            return (
                f"NATS refuses this user the subscription to {', '.join(lost)}. Grant it on the "
                "server; the service asks again every few seconds."
            )
        if not self._carries_requests():
            most = self._client.servers_max_payload
            return (
                f"nats-server takes {most} bytes in one message (max_payload), and disconnects "
                f"hosts over longer ones; a usual request has about {USUAL_REQUEST_BYTES}. Raise "
                "max_payload on every server."
            )
        return self._reason if self._misses >= _MISSES else None

    def _carries_requests(self) -> bool:
        return self._client.servers_max_payload >= SMALLEST_REQUEST_BYTES

    async def run(self) -> None:
        """Check every few seconds, until cancelled or the connection is closed for good."""
        while not self._client.is_closed:
            is_well = self.problem() is None and not self._misses
            await self._sleep(ROUND_SECONDS if is_well else TROUBLED_ROUND_SECONDS)
            if self._client.is_connected:
                await self.check()

    async def _sleep(self, seconds: float) -> None:
        self._due = self._clock.monotonic() + seconds
        await self._clock.sleep(seconds)
        woken = self._clock.monotonic()
        if woken >= self._due + _LATE_SECONDS or woken >= self._woken_late + _RECENT_SECONDS:
            self._late, self._woken_late = woken - self._due, woken
        self._due = math.inf

    def why_hung_up_on(self) -> str | None:
        """Return what may have made the server end the connection, as advice; None if nothing: a
        process that does not read is given up by nats-server once 64 MiB wait for it.
        """
        late = max(self._clock.monotonic() - self._due, self._late)
        if late < _LATE_SECONDS:
            return None
        return (
            f"This process itself came {late:.1f} seconds late to its work just before: it is "
            "short of CPU, or was stopped. If nats-server's log names a slow consumer, more than "
            "64 MiB of requests waited for it, and are lost. Give it more CPU, or add replicas."
        )

    async def check(self) -> None:
        """Make one round, and log what has changed."""
        try:
            if await self._ask_for_subscriptions():
                await self._ask_itself()
            if self._carries_requests():
                self._small_rounds = 0
            else:
                self._small_rounds += 1
                if self._small_rounds % _LOOK_AGAIN_ROUNDS == 0:
                    # No host is served meanwhile, and a connect tells whether the limit was raised.
                    await self._client.force_reconnect()
        except (errors.Error, OSError, TimeoutError) as error:
            if not self._client.is_connected:
                return  # which is a problem of its own
            self._miss(f"NATS does not answer a flush ({type(error).__name__}).")
        problem = self.problem()
        if problem != self._told:
            if problem is None:
                self._client.forget_denials()
                _log.info("nats.served_again")
            else:
                _log.error("nats.not_served", advice=problem)
            self._told = problem

    async def _ask_for_subscriptions(self) -> bool:
        """Ask for every standing one; return whether hosts are to be served by one of them."""
        client = self._client
        if not self._listening:
            self._listening = True
            await client.subscribe_raw(self._inbox, "", self._take)
        held = await client.subscribe_again()
        if not held:
            return True
        # What was never granted stays a record in the log: hosts may be served without it.
        self._granted = (self._granted & held) | (held - client.refused)
        return self._requests <= held

    async def _ask_itself(self) -> None:
        """Ask as a host does; another replica may take it, which proves the way there and back."""
        client = self._client
        if client.refused & (self._requests | {self._inbox}):
            self._misses = 0
            return
        answered = await self._sent(self._question, self._inbox)
        if answered is None and client.unsendable == self._question:
            # A user that may not ask. A reply to itself shows whether it may answer.
            answered = await self._sent(self._inbox)
        if answered is None:
            self._unanswered()
        elif answered:
            self._misses = 0
        else:
            self._miss(
                f"No process listens on {self._question}, although this one has subscribed. Look "
                "at nats-server's log; the service asks again every few seconds."
            )

    async def _sent(self, subject: str, reply: str = "") -> bool | None:
        """Send a message; return whether it was answered, and None where nothing came in time."""
        self._client.unsendable = None
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answer = answer
        # As long as a request, so that a limit lowered by a reload, which no client is told of,
        # ends this connection as it ends those of hosts: the next one is told.
        most = min(SMALLEST_REQUEST_BYTES, self._client.max_payload)
        body = bytes(max(0, most - _HEADER_BYTES))
        await self._client.publish(subject, body, reply=reply, headers={SELF_CHECK: "1"})
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            return None

    def _unanswered(self) -> None:
        if self._client.unsendable == self._inbox:
            # The server said so: no second miss is needed.
            self._misses = _MISSES
            self._reason = (
                f"NATS refuses this user to publish replies (to {self._inbox}). Grant it the "
                "hosts' inboxes on the server; the service tries again every few seconds."
            )
        else:
            self._miss(
                f"A request to {self._question} and its reply did not pass NATS within "
                f"{_ANSWER_SECONDS:.0f} s. Check nats-server's log, its load and this user's "
                "permissions."
            )

    def _miss(self, reason: str) -> None:
        self._misses += 1
        self._reason = reason

    def _take(self, _subject: bytes, _reply_to: bytes, _body: bytes, headers: bytes | None) -> None:
        if self._answer is not None and not self._answer.done():
            no_responders = headers is not None and headers.startswith(NO_RESPONDERS_START)
            self._answer.set_result(not no_responders)
