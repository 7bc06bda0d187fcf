"""How newer Infisical servers lock an identity's login, as their identity-ua-service has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class LoginLockout:
    """Counts the refused logins of one identity.

    Each refusal keeps the count for `reset_seconds` more; the last of `threshold` locks. What is
    refused while locked does not prolong that, and a login that succeeds clears the count.

    Attributes:
        now: seconds that never go back.
        times_locked: how often the identity was locked.
    """

    now: Callable[[], float]
    threshold: int = 3
    reset_seconds: float = 30.0
    locked_seconds: float = 300.0
    times_locked: int = 0
    _failed: int = 0
    _until: float = -math.inf

    @property
    def is_locked(self) -> bool:
        """Whether even right credentials are refused now."""
        return self._count() >= self.threshold

    def fail(self) -> None:
        """Count a login with wrong credentials."""
        self._failed = self._count() + 1
        is_last = self._failed >= self.threshold
        self.times_locked += is_last
        self._until = self.now() + (self.locked_seconds if is_last else self.reset_seconds)

    def clear(self) -> None:
        """Forget all failures, as after a login that succeeded."""
        self._failed = 0

    def _count(self) -> int:
        return self._failed if self.now() < self._until else 0
