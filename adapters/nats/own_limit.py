"""A client that publishes nothing longer than its login may, which no server announces.

nats-server's INFO names the server's own `max_payload`, also to a user whose JWT has a lower
`payload`; the first longer message ends the connection ("Maximum Payload Violation").
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from adapters.nats.server_pool import ServerPoolClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SMALLEST_REQUEST_BYTES: Final = 1024
"""No request is shorter: it holds two signed tokens, sealed, and a header with a key."""

USUAL_REQUEST_BYTES: Final = 2048


class OwnLimitClient(ServerPoolClient):
    """Keeps `max_payload` at the least of what the server, the user's JWT and a measurement say."""

    def __init__(self) -> None:
        super().__init__()
        self._own_limit: int | None = None
        self._is_limit_doubtful = False

    @property
    def must_measure_limit(self) -> bool:
        """Whether this login may have a payload limit of its own that neither the server nor the
        user's JWT has named.
        """
        jwt = self._user_jwt_cb
        return self._is_limit_doubtful or (jwt is not None and leaves_limit_unsaid(bytes(jwt())))

    @property
    def servers_max_payload(self) -> int:
        """The server's own limit."""
        return int(self._server_info.get("max_payload", self._max_payload))

    def set_own_limit(self, limit: int) -> None:
        """Publish nothing longer than this login was found to be allowed."""
        self._is_limit_doubtful = False
        self._own_limit = limit if limit < self.servers_max_payload else None
        self._limit_payload()

    def _doubt_limit(self) -> None:
        """Note that the server has ended the connection over the length of a message."""
        self._is_limit_doubtful = True
        if self._largest:
            self._own_limit = self._largest - 1

    def _limit_payload(self) -> None:
        limits = [self.servers_max_payload, self._own_limit]
        if self._user_jwt_cb is not None:
            limits.append(payload_limit_of(bytes(self._user_jwt_cb())))
        self._max_payload = min(limit for limit in limits if limit is not None)
        self._largest = 0


def payload_limit_of(user_jwt: bytes) -> int | None:
    """Return the `payload` limit of a user JWT, in bytes; None if it names none or is no JWT."""
    limit = _claims(user_jwt).get("payload")
    return limit if isinstance(limit, int) and limit > 0 else None


def leaves_limit_unsaid(user_jwt: bytes) -> bool:
    """Whether the limits of this user are those of a scoped signing key, which its JWT cannot show:
    such a JWT names its account beside its issuer, and no limits.
    """
    claims = _claims(user_jwt)
    return bool(claims.get("issuer_account")) and not claims.get("payload")


def _claims(user_jwt: bytes) -> dict[str, Any]:
    parts = user_jwt.strip().split(b".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
        nats = claims["nats"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return nats if isinstance(nats, dict) else {}


async def measured_limit(takes: Callable[[int], Awaitable[bool]], most: int) -> int:
    """Return the longest message that a login may publish, by asking for half of what is open.

    `takes`: publishes a message of so many bytes over a connection of its own, and returns whether
    the server took it. `most`: what the server itself takes.
    """
    low, high, size = 0, most, most
    while low < high:
        if await takes(size):
            low = size
        else:
            high = size - 1
        size = (low + high + 1) // 2
    return low
