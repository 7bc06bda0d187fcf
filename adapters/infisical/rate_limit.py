"""How Infisical says "later", and the pause that all logins keep; reads have `read_gate`."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from adapters.infisical import reasons
from domain.model.errors import RateLimited, UpstreamError
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    from adapters.infisical.exchange import Answer
    from ports.clock import Clock

TOO_MANY_REQUESTS = 429
DEFAULT_PAUSE_SECONDS = 10.0
"""What Infisical's own proxy waits when the server does not say."""

MIN_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 120.0
"""Limits are counted by the minute; a longer pause would be somebody's mistake."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_IN_WORDS = re.compile(r"try again in ([0-9]{1,9}) second", re.IGNORECASE)


def pause_asked_for(answer: Answer, now: float) -> float | None:
    """Return the seconds that an answer asks to wait, or None when it limits no rate.

    Newer servers answer 429; the one measured answers 500 and gives itself away by `retry-after`
    alone.

    Args:
        answer: any answer.
        now: seconds since the epoch, for the date form of the header.
    """
    header = answer.headers.get("retry-after")
    if answer.status != TOO_MANY_REQUESTS and (answer.status < 500 or header is None):  # noqa: PLR2004  the class of server errors
        return None
    asked = _from_header(header, now)
    if asked is None and (words := _IN_WORDS.search(answer.message)):
        asked = float(words[1])
    if asked is None:
        asked = _from_header(answer.headers.get("x-ratelimit-reset"), now)
    if asked is None:
        asked = DEFAULT_PAUSE_SECONDS
    return min(max(asked, MIN_PAUSE_SECONDS), MAX_PAUSE_SECONDS)


def _from_header(text: str | None, now: float) -> float | None:
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None


class SharedPause:
    """A time until which nothing is sent. Infisical limits logins and reads apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = -math.inf

    @property
    def active(self) -> bool:
        """Whether the pause still lasts."""
        return self._clock.monotonic() < self._until

    @property
    def remaining_seconds(self) -> float:
        """How long the pause still lasts; 0 without one."""
        return max(0.0, self._until - self._clock.monotonic())

    def extend(self, seconds: float) -> None:
        """Let the pause last for at least that long from now."""
        self._until = max(self._until, self._clock.monotonic() + seconds)

    async def wait(self, deadline: float) -> None:
        """Wait for the end of the pause.

        Args:
            deadline: monotonic seconds.

        Raises:
            UpstreamError: at once, when the pause lasts beyond the deadline.
        """
        while self.active:
            if self._until >= deadline:
                raise self.error()
            await self._clock.sleep(self._until - self._clock.monotonic())

    def error(self) -> UpstreamError:
        """Return the error that says when to try again."""
        seconds = self.remaining_seconds
        return RateLimited(
            "Infisical limits the rate of calls; try again in "
            f"{seconds_in_words(seconds)}, or raise its limits.",
            reason=reasons.RATE_LIMITED,
            retry_after=seconds,
        )
