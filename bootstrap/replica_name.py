"""How this process is named among the replicas."""

from __future__ import annotations

import os
import re
import socket
from typing import Final

_LONGEST_HOST_NAME: Final = 100


def replica_name(host: str | None = None) -> str:
    """Name this process as answers and logs do: the machine's name and the process's number."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname() if host is None else host)
    return f"{plain[:_LONGEST_HOST_NAME]}:{os.getpid()}"
