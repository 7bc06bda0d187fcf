"""What libsodium alone takes for one request: open it, draw a fresh key, seal the answer."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nacl import bindings

from adapters.crypto.nkeys_text import KeyKind, decode_public, decode_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from benchmarks.figures import cost_each

if TYPE_CHECKING:
    from collections.abc import Callable

_NONCE = slice(4, 28)
_BOX = slice(28, None)


@dataclass
class Floor:
    """The three calls on bytes that are ready, with nothing around them but the loop.

    Args:
        plain_request: the JSON of a typical request.
        plain_reply: the JSON of a typical answer.
    """

    plain_request: bytes
    plain_reply: bytes
    host: SodiumXKeyPair = field(default_factory=SodiumXKeyPair.generate)
    server: SodiumXKeyPair = field(default_factory=SodiumXKeyPair.generate)

    def __post_init__(self) -> None:
        sealed = self.host.seal(self.plain_request, self.server.public)
        self._nonce, self._box = sealed[_NONCE], sealed[_BOX]
        self._point = decode_public(self.host.public)[1]
        self._secret = decode_seed(self.server.seed_text(), KeyKind.XKEY)[1]

    def once(self) -> None:
        """Do what no request can do without."""
        bindings.crypto_box_open_easy(self._box, self._nonce, self._point, self._secret)
        fresh = os.urandom(bindings.crypto_box_SECRETKEYBYTES)
        bindings.crypto_scalarmult_base(fresh)
        nonce = os.urandom(bindings.crypto_box_NONCEBYTES)
        bindings.crypto_box_easy(self.plain_reply, nonce, self._point, fresh)

    def measure(self, count: int) -> float:
        """Return the CPU time of one, in microseconds."""
        return cpu_cost(self.once, count)


def cpu_cost(operation: Callable[[], object], count: int) -> float:
    """Return this thread's CPU time for one operation, in microseconds, after a short warm-up."""
    for _ in range(count // 10):
        operation()
    started = time.thread_time()
    for _ in range(count):
        operation()
    return cost_each(time.thread_time() - started, count)
