"""What processes that log in as the same identity tell each other, so that they go one by one.

A server counts the refused logins of an identity, whichever process sends them, and a login is the
most costly call that it answers. When all processes lose their tokens in the same moment, as when
a credential is deleted, a login of each of them at once would be a burst, and with a wrong secret
would lock the identity before one could tell the others.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ports.clock import Clock
    from ports.peer_bus import PeerBus

TOPIC: Final = "login_refused"
"""Of all that is told here: the permissions that are shipped know it."""

FIRST_SPREAD_SECONDS: Final = 0.25
"""Within this time, processes that need a login in the same moment begin to ask for their turn."""

NEXT_SPREAD_SECONDS: Final = 0.5
"""The same after a login of another process has ended: the first of all that wait goes on."""

SETTLE_SECONDS: Final = 0.01
"""Between saying that a login begins and beginning it, for the messages of processes that said so
in the same moment: of these, the one of the smallest name goes on. Messages between servers of one
region take 1 to 2 ms; every start and every token that is lost waits for this."""

LOGIN_SECONDS: Final = 2.0
"""A login that was not said to have ended counts as running for this long."""

PATIENCE_SECONDS: Final = 3.0
"""A process waits for its turn for this long, or up to twice that; then it goes on: requests wait
for it, and where logins were refused, none is sent by then."""

_SCHEMA: Final = 1


@final
class LoginPeers:
    """The other processes of one identity; messages name it by a digest and hold no credential.

    Every wait is bounded, so that it goes on without any message.
    """

    def __init__(
        self,
        bus: PeerBus | None,
        identity: str,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        starts_alone: bool = False,
    ) -> None:
        """Prepare; `listen` has messages received.

        Args:
            bus: to the other processes; None where none can be reached, and none is waited for.
            identity: the server's address and the identity's name there.
            starts_alone: nothing starts this process and others in the same moment, so that its
                first login is not spread; see ADR 122.
        """
        self.digest = sha256(identity.encode()).hexdigest()[:32]
        self._bus = bus
        self._clock = clock
        self._jitter = jitter
        self._origin = secrets.token_hex(16)
        self._spreads = not starts_alone
        self._busy_until: dict[str, float] = {}
        self._ended = asyncio.Event()

    async def listen(self, refused: Callable[[], None]) -> None:
        """Receive messages until cancelled. `refused`: called when a login of another process was
        refused.
        """

        def received(payload: bytes) -> None:
            match self._event_in(payload):
                case "refused", origin:
                    self._forget(origin)
                    refused()
                case "begun", origin:
                    self._forget(origin)
                    self._busy_until[origin] = self._clock.monotonic() + LOGIN_SECONDS
                case "ended", origin:
                    self._forget(origin)
                case _:
                    return

        if self._bus is not None:
            await self._bus.subscribe(TOPIC, received)
        await asyncio.Event().wait()

    def refused(self) -> None:
        """Tell the others that a login of this process was refused."""
        self._tell("refused")

    @asynccontextmanager
    async def turn(self, *, spread: bool = True) -> AsyncIterator[None]:
        """Wait until no other process logs in, and have the others wait while this one does.
        `spread`: whether others may need a login in the same moment.
        """
        if self._bus is None:
            yield
            return
        give_up = self._clock.monotonic() + PATIENCE_SECONDS * (1 + self._jitter())
        spread, self._spreads = spread and self._spreads, True
        if spread:
            await self._clock.sleep(FIRST_SPREAD_SECONDS * self._jitter())
        try:
            await self._claim(give_up)
            yield
        finally:
            self._tell("ended")

    async def _claim(self, give_up: float) -> None:
        """Say that a login begins, once it is this process's turn."""
        while True:
            while (until := self._others_until()) > self._clock.monotonic() < give_up:
                self._ended.clear()
                with suppress(TimeoutError):
                    async with self._clock.timeout_at(min(until, give_up)):
                        await self._ended.wait()
                await self._clock.sleep(NEXT_SPREAD_SECONDS * self._jitter())
            self._tell("begun")
            await self._clock.sleep(SETTLE_SECONDS)
            now = self._clock.monotonic()
            rivals = [other for other, until in self._busy_until.items() if until > now]
            if now >= give_up or self._origin < min(rivals, default="~"):
                return
            self._tell("ended")

    def _others_until(self) -> float:
        return max(self._busy_until.values(), default=0.0)

    def _forget(self, origin: str) -> None:
        now = self._clock.monotonic()
        self._busy_until.pop(origin, None)
        for silent in [name for name, until in self._busy_until.items() if until <= now]:
            del self._busy_until[silent]
        self._ended.set()

    def _tell(self, event: str) -> None:
        message = {
            "schema": _SCHEMA,
            "identity": self.digest,
            "origin": self._origin,
            "event": event,
        }
        if self._bus is not None:
            self._bus.broadcast(TOPIC, json.dumps(message).encode("ascii"))

    def _event_in(self, payload: bytes) -> tuple[str, str] | None:
        """Return event and sender, if the message is of another process of this identity."""
        try:
            message = json.loads(payload)
        except ValueError:
            return None
        match message:
            case {
                "identity": self.digest,
                "event": "refused" | "begun" | "ended" as event,
                "origin": str() as origin,
            } if origin != self._origin:
                return event, origin
        return None
