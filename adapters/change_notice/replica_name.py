"""What a replica calls itself in answers and orders."""

from __future__ import annotations

import re
import secrets

_LONGEST = 64


def replica_name(hostname: str) -> str:
    """Return the host's name with eight random digits, for many processes on one host.

    What cannot stand in a message becomes "-".
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", hostname, flags=re.ASCII)[:_LONGEST] or "replica"
    return f"{plain}-{secrets.token_hex(4)}"
