"""From changed Secrets to every cache and to operators, once for all replicas that saw them.

Every process watches for itself, so all of them see a change within milliseconds. Each waits for a
random moment; the first to wake has all replicas forget and operators notified, and its peers,
which hear of that, drop theirs.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from domain.model.recently_used import RecentlyUsed
from domain.model.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ports.clock import Clock
    from ports.peer_bus import PeerBus

TOPIC: Final = "kubernetes_changed"
LONGEST_WAIT_SECONDS: Final = 0.2
MAX_NAMED: Final = 50
"""More changes of a namespace than this at a time are announced as one, of all its Secrets."""

_DIGESTS_A_MESSAGE: Final = 100
_HEARD: Final = 8192
_log = structlog.get_logger()


class ChangeNotices:
    """Collects changes for a moment and tells them once.

    Attributes:
        announced: how many changed Secrets this process has announced.
        left_to_peers: how many another process had announced before.
    """

    def __init__(
        self,
        tell: Callable[[Selection], None],
        peers: PeerBus,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """Collect nothing yet.

        Args:
            tell: has every replica forget a selection, and operators notified.
            peers: the other processes of this backend.
            clock: for the moment of waiting.
            jitter: draws evenly from 0 up to 1.
        """
        self.announced = 0
        self.left_to_peers = 0
        self._tell = tell
        self._peers = peers
        self._clock = clock
        self._jitter = jitter
        self._pending: dict[tuple[str, str], bytes] = {}
        self._heard: RecentlyUsed[bytes, bool] = RecentlyUsed(_HEARD)
        self._some = asyncio.Event()
        self._subscribed = False

    def changed(self, namespace: str, changes: Mapping[str, str]) -> None:
        """Take note of changed Secrets.

        Args:
            namespace: where they are.
            changes: by name, what every process that sees the same change calls it.
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
            self._flush()

    def _hear(self, payload: bytes) -> None:
        digests = {digest for digest in payload.split(b" ") if len(digest) == _DIGEST_LENGTH}
        for digest in digests:
            self._heard.keep(digest, value=True)
        for place, digest in list(self._pending.items()):
            if digest in digests:
                del self._pending[place]
                self.left_to_peers += 1

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        digests = list(pending.values())
        # First of all, so that peers about to wake hear of it.
        for start in range(0, len(digests), _DIGESTS_A_MESSAGE):
            self._peers.broadcast(TOPIC, b" ".join(digests[start : start + _DIGESTS_A_MESSAGE]))
        for namespace, count in Counter(namespace for namespace, _ in pending).items():
            scope = (("namespace", namespace),)
            names = [name for each, name in pending if each == namespace]
            if count > MAX_NAMED:
                self._tell(Selection.everything(scope))
            else:
                for name in names:
                    self._tell(Selection.one(f"/{name}", scope))
            _log.info("kubernetes.secrets_changed", namespace=namespace, secrets=count)
        self.announced += len(pending)


_DIGEST_LENGTH: Final = 32


def _digest(namespace: str, name: str, change: str) -> bytes:
    # A digest, since operators may listen to what peers tell each other.
    text = f"{namespace}/{name}/{change}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH].encode()
