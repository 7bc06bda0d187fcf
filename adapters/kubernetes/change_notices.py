"""From changed Secrets to every cache and to operators, once for all replicas that saw them.

Every process watches for itself, so all of them see a change within milliseconds. Each waits for a
random moment and then claims the change on the bus, which hands every claim to all processes, the
claiming one included. The process whose claim comes first has all replicas forget and operators
notified; the others, which hear that claim before their own, leave it to that process. A random
moment alone does not do: on a busy machine two processes wake before either has heard of the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from domain.model.recently_used import RecentlyUsed
from domain.model.selection import Selection
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ports.clock import Clock
    from ports.peer_bus import PeerBus

TOPIC: Final = "kubernetes_changed"
LONGEST_WAIT_SECONDS: Final = 0.2
CLAIM_SECONDS: Final = 0.5
"""A claim that is not back by then counts as won: the bus is away, or does not let it through."""

MAX_NAMED: Final = 50
"""More changes of a namespace than this at a time are announced as one, of all its Secrets."""

_DIGESTS_A_MESSAGE: Final = 100
_HEARD: Final = 8192

_DIGEST_LENGTH: Final = 32
_log = structlog.get_logger()


class ChangeNotices:
    """Collects changes for a moment and tells them once.

    Attributes:
        announced: how many changed Secrets this process has announced.
        left_to_peers: how many another process had announced before.
    """

    def __init__(
        self,
        tell: Callable[[Selection], object],
        peers: PeerBus,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """Collect nothing yet. `tell`: has every replica forget a selection, and operators
        notified.
        """
        self.announced = 0
        self.left_to_peers = 0
        self._tell = tell
        self._peers = peers
        self._clock = clock
        self._jitter = jitter
        self._pending: dict[tuple[str, str], bytes] = {}
        self._heard: RecentlyUsed[bytes, bool] = RecentlyUsed(_HEARD)
        self._own_name = secrets.token_hex(8).encode()
        self._claimed: set[bytes] = set()
        self._won: set[bytes] = set()
        self._decided = asyncio.Event()
        self._some = asyncio.Event()
        self._subscribed = False

    def changed(self, namespace: str, changes: Mapping[str, str]) -> None:
        """Take note of changed Secrets. `changes`: by name, what every process that sees the same
        change calls it.
        """
        for name, change in changes.items():
            digest = _digest(namespace, name, change)
            if self._heard.find(digest):
                self.left_to_peers += 1
            else:
                self._pending[namespace, name] = digest
        if self._pending:
            self._some.set()

    async def run(self) -> None:
        """Tell what is collected, until cancelled."""
        if not self._subscribed:
            await self._peers.subscribe(TOPIC, self._hear)
            self._subscribed = True
        while True:
            await self._some.wait()
            await self._clock.sleep(LONGEST_WAIT_SECONDS * self._jitter())
            self._some.clear()
            pending, self._pending = self._pending, {}
            won = await self._claim(set(pending.values()))
            self.left_to_peers += len(pending) - len(won)
            self._announce([place for place, digest in pending.items() if digest in won])

    async def _claim(self, digests: set[bytes]) -> set[bytes]:
        """Return those that this process was the first to claim."""
        self._claimed, self._won = set(digests), set()
        self._decided.clear()
        ordered = sorted(digests)
        with suppress(ChannelError, TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + CLAIM_SECONDS):
                for start in range(0, len(ordered), _DIGESTS_A_MESSAGE):
                    some = ordered[start : start + _DIGESTS_A_MESSAGE]
                    answers = await self._peers.ask(TOPIC, b" ".join([self._own_name, *some]))
                    await answers.gather(0)
                while self._claimed:
                    self._decided.clear()
                    await self._decided.wait()
        undecided = {digest for digest in self._claimed if not self._heard.find(digest)}
        for digest in undecided:
            self._heard.keep(digest, value=True)
        self._claimed = set()
        return self._won | undecided

    def _hear(self, payload: bytes) -> None:
        words = payload.split(b" ")
        digests = {digest for digest in words if len(digest) == _DIGEST_LENGTH}
        is_own = words[0] == self._own_name
        for digest in digests:
            if is_own and digest in self._claimed and not self._heard.find(digest):
                self._won.add(digest)
            self._heard.keep(digest, value=True)
        if is_own:
            self._claimed -= digests
            self._decided.set()
            return
        for place, digest in list(self._pending.items()):
            if digest in digests:
                del self._pending[place]
                self.left_to_peers += 1

    def _announce(self, places: Sequence[tuple[str, str]]) -> None:
        for namespace in dict.fromkeys(namespace for namespace, _ in places):
            scope = (("namespace", namespace),)
            names = [name for each, name in places if each == namespace]
            if len(names) > MAX_NAMED:
                self._tell(Selection.everything(scope))
            else:
                for name in names:
                    self._tell(Selection.one(f"/{name}", scope))
            _log.info("kubernetes.secrets_changed", namespace=namespace, changed=len(names))
        self.announced += len(places)


def _digest(namespace: str, name: str, change: str) -> bytes:
    # A digest, since operators may listen to what peers tell each other.
    text = f"{namespace}/{name}/{change}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH].encode()
