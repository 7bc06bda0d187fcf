"""How secrets are read again that were served, and what that came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class RecheckConfig(NamedTuple):
    """What the operator decides.

    Attributes:
        seconds: within this time each secret that was served is read again.
        reads_per_minute: reads of this process for it at most, in any minute.
        max_secrets: as many are remembered; of more, the longest unread go.
        call_seconds: what one read gets.
    """

    seconds: float
    reads_per_minute: int
    max_secrets: int
    call_seconds: float


@dataclass(slots=True)
class RecheckStatistics:
    """Counts since the start, and what is remembered now.

    Attributes:
        read, failed: reads for this purpose, answered and not.
        found: changes for which no notice came, those that requests met included.
        secrets: remembered.
        oldest_seconds: since one of these was last read, at most.
    """

    read: int = 0
    failed: int = 0
    found: int = 0
    secrets: int = 0
    oldest_seconds: float = 0.0
