"""The largest message that a login may publish, which no server announces.

nats-server's INFO names the server's own `max_payload`, also to a user whose JWT has a lower
`payload`; the first longer message ends the connection ("Maximum Payload Violation").
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


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
