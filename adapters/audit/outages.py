"""What is said about a sink that cannot keep up: once when it fails, once when it is back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ports.clock import Clock

_SECONDS_BETWEEN_DROP_REPORTS = 10.0


class Outages:
    """Counts and logs.

    Args:
        name: the sink's, for events such as `audit.file_failed`.
        about: fields of each record.

    Attributes:
        dropped: events lost since the start.
        reason: why the sink fails at present, or None.
    """

    def __init__(self, name: str, clock: Clock, about: Mapping[str, str]) -> None:
        self._about = dict(about)
        self._clock = clock
        self._log = structlog.get_logger()
        self._name = name
        self._since = 0.0
        self._dropped_before = 0
        self._next_report = 0.0
        self.dropped = 0
        self.reason: str | None = None

    def failed(self, reason: str, *, waiting: int) -> None:
        """Note a failed write; only the first of an outage is logged."""
        is_first = self.reason is None
        self.reason = reason
        if is_first:
            self._since = self._clock.monotonic()
            self._dropped_before = self.dropped
            self._say("failed", reason=reason, waiting=waiting)

    def over(self) -> None:
        """Note a write that went well."""
        if self.reason is None:
            return
        reason, self.reason = self.reason, None
        self._say(
            "recovered",
            reason=reason,
            seconds=round(self._clock.monotonic() - self._since, 3),
            dropped=self.dropped - self._dropped_before,
        )

    def drop(self) -> None:
        """Count one lost event; logged at most every ten seconds."""
        self.dropped += 1
        now = self._clock.monotonic()
        if now >= self._next_report:
            self._next_report = now + _SECONDS_BETWEEN_DROP_REPORTS
            self._say("dropping", dropped=self.dropped)

    def lose(self, count: int) -> None:
        """Count and log what was still waiting when the sink was closed."""
        if count:
            self.dropped += count
            self._say("lost", events=count, dropped=self.dropped)

    def _say(self, what: str, **fields: object) -> None:
        # The log may stand on the same full disk, and must not take the trail with it.
        with suppress(Exception):
            (self._log.warning if what == "recovered" else self._log.error)(
                f"audit.{self._name}_{what}", **self._about, **fields
            )
