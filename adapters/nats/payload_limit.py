"""The largest message that a login may publish, which no server announces.

nats-server's INFO names the server's own `max_payload`, also to a user whose JWT has a lower
`payload`; the first longer message ends the connection ("Maximum Payload Violation").
"""

from __future__ import annotations

import base64
import json


def payload_limit_of(user_jwt: bytes) -> int | None:
    """Return the `payload` limit of a user JWT, in bytes; None if it names none or is no JWT."""
    parts = user_jwt.strip().split(b".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
        limit = claims["nats"]["payload"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return limit if isinstance(limit, int) and limit > 0 else None
