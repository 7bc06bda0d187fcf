"""How the streams and subjects of the audit trail are named."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_STREAM: Final = "SECRETS_AUDIT"
DEFAULT_SUBJECT: Final = "wasmcloud.secrets.audit.v1"
"""Where events of secrets go that were served."""

REFUSED_SUBJECT: Final = "wasmcloud.secrets.audit.refused.v1"
"""Where all other events go, so that no number of them pushes out those of served secrets."""

MAX_REPLICAS: Final = 5
"""The most servers that can hold one JetStream stream."""

_STREAM: Final = re.compile(r"[a-zA-Z0-9_-]+")


def is_stream_name(text: str) -> bool:
    """Whether a stream of JetStream can have this name."""
    return _STREAM.fullmatch(text) is not None


def refused_stream(stream: str) -> str:
    """Return the name of the second stream, for all that was not served."""
    return f"{stream}_REFUSED"
