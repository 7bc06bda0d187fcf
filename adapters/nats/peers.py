"""Who a message seems to come from, as far as is known before its body is opened.

Good enough to share out room by, and for nothing else: inside the service's own account a sender
may write both of what is looked at here. In another account it can write neither, since the server
puts a reply subject of its own in the place of the sender's, and its account into the header.
"""

from __future__ import annotations

from typing import Final

_REQUEST_INFO: Final = b"\r\nNats-Request-Info:"
_ACCOUNT: Final = b'"acc":"'
_LONGEST: Final = 128
"""Of an account's name. A public key has 56 characters."""


def peer_of(reply_to: bytes, headers: bytes | None) -> bytes:
    """Name the sender by its account, if the server tells, and the first two parts of its inbox.

    Clients make one inbox for each connection, such as `_INBOX.<random>`, and one more part for
    each request.
    """
    first, _, rest = reply_to.partition(b".")
    return b"%b %b.%b" % (_account(headers), first, rest.partition(b".")[0])


def _account(headers: bytes | None) -> bytes:
    if headers is None:
        return b""
    line = headers.find(_REQUEST_INFO)
    if line < 0:
        return b""
    start = headers.find(_ACCOUNT, line)
    if start < 0:
        return b""
    start += len(_ACCOUNT)
    # Bounded, since a sender of the service's own account writes here what it likes.
    return headers[start : start + _LONGEST].partition(b'"')[0]


class Shares:
    """Counts what each peer holds of a limited whole.

    While less than `open_part` of it is held, any peer may take more. Beyond that a peer may hold
    no more than is left free (a dynamic threshold), so that one that comes late still finds room.

    Args:
        limit: the whole, in any unit.
        open_part: the part of it that is given to whichever peer asks first.

    Attributes:
        total: what all of them hold.
    """

    def __init__(self, limit: int, open_part: float) -> None:
        self._limit = limit
        self._open = limit * open_part
        self._held: dict[bytes, int] = {}
        self.total = 0

    def are_open(self) -> bool:
        """Say whether any peer may still take one unit more."""
        return self.total < self._open

    def has_room(self, peer: bytes, size: int) -> bool:
        """Say whether the peer may take that much more."""
        free = self._limit - self.total
        return size <= free and (self.are_open() or self._held.get(peer, 0) + size <= free)

    def take(self, peer: bytes, size: int) -> None:
        """Count that much more as the peer's."""
        self._held[peer] = self._held.get(peer, 0) + size
        self.total += size

    def give_back(self, peer: bytes, size: int) -> None:
        """Take back what `take` gave."""
        self.total -= size
        left = self._held[peer] - size
        if left:
            self._held[peer] = left
        else:
            del self._held[peer]
