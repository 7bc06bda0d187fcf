"""The line in the log that says that reads are held back by a limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from adapters.infisical.read_order import ReadOrder
    from adapters.infisical.request_budget import RequestBudget

LOG_SECONDS = 10.0
"""Under the operator's limit places come free one by one; not each is worth a line."""

_log = structlog.get_logger()


class HeldBackLog:
    """Writes one line for each time that reads are held back, and not too often."""

    def __init__(self, order: ReadOrder, budget: RequestBudget) -> None:
        self._order = order
        self._budget = budget
        self._quiet_until = -math.inf

    def write(self, now: float) -> None:
        """Write until when nobody may read, if that is known and was not written just before."""
        until = self._order.resumes_at(now)
        if now >= self._quiet_until and until > now:
            self._quiet_until = max(until, now + LOG_SECONDS)
            _log.warning(
                "infisical.reads_held_back",
                seconds=round(until - now, 1),
                limit=self._budget.learned_limit,
                waiting=len(self._order),
                promised=self._order.promised,
            )
