"""A rate limit as the server counts it: fixed windows of a minute from the first call on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.model.reference import SecretLocation
from tests.unit.adapters.upstream.http_rig import answer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

WINDOW = 60.0


def place(name: str, folder: str = "") -> SecretLocation:
    return SecretLocation(f"{folder}/{name}", (("environment", "prod"), ("project_id", "p")))


@dataclass
class CountingServer:
    """Attributes: `served`, calls let through in each window; `over`, calls refused."""

    limit: int
    status_over: int = 500
    started: float = -math.inf
    served: list[int] = field(default_factory=list)
    over: int = 0

    def hit(self, now: float) -> tuple[int, dict[str, str]]:
        """Count a call and return its status and headers."""
        if now >= self.started + WINDOW:
            self.started = now
            self.served.append(0)
        reset = max(1, math.ceil(round(self.started + WINDOW - now, 6)))
        allowed = self.served[-1] < self.limit
        if allowed:
            self.served[-1] += 1
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.limit - self.served[-1]),
            "x-ratelimit-reset": str(reset),
        }
        if allowed:
            return 200, headers
        self.over += 1
        return self.status_over, {**headers, "retry-after": str(reset)}

    def answer(self, now: float) -> UpstreamResponse:
        status, headers = self.hit(now)
        named = {name.replace("-", "_"): text for name, text in headers.items()}
        return answer(status, {"message": "Something went wrong"}, **named)
