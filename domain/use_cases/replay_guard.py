"""Remembers sealed bodies for a while, so that a recorded one cannot be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey

NONCE = slice(4, 28)
"""Where a sealed body holds its nonce: after the four bytes `xkv1`."""

_SENDER = slice(1, 17)
"""77 bits of a sender's xkey: who wants a second key that has the same cannot find one."""


class ReplayGuard:
    """Two generations of entries; the older is dropped when the younger is full or old enough.

    A body is remembered for at least the window, unless more than `max_entries` arrive within it.
    Memory is about 110 bytes an entry, for at most twice `max_entries`. Other replicas do not
    share it.
    """

    def __init__(self, window_seconds: float, max_entries: int = 250_000) -> None:
        self._window = window_seconds
        self._max_entries = max_entries
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._young_since = 0.0

    def is_replay(self, sender: PublicXKey, sealed: bytes, now: float) -> bool:
        """Say whether `sender` has sent this body's nonce before, and remember it.

        Args:
            sender: the host's one-time xkey.
            sealed: a body that opened, so that noise cannot fill the memory.
            now: monotonic seconds.
        """
        if now - self._young_since >= self._window or len(self._young) >= self._max_entries:
            expired = now - self._young_since >= 2 * self._window
            self._old = set() if expired else self._young
            self._young = set()
            self._young_since = now
        entry = sealed[NONCE] + sender[_SENDER].encode()
        if entry in self._young or entry in self._old:
            return True
        self._young.add(entry)
        return False
