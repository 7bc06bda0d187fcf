"""What a response says about rate limits."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

TOO_MANY_REQUESTS: Final = 429
SERVER_ERRORS: Final = 500
DEFAULT_PAUSE_SECONDS: Final = 10.0
"""Assumed where the server limits and does not say for how long."""

MIN_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 120.0
"""Limits are counted by the minute; a longer pause is a mistake of the server's."""

MAX_RESET_SECONDS: Final = 120
"""A larger number is a date, or too long a window to wait for."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_IN_WORDS = re.compile(r"try again in ([0-9]{1,9}) second", re.IGNORECASE)
_PREFIXES = ("x-ratelimit-", "ratelimit-")


class RateReport(NamedTuple):
    """The headers `x-ratelimit-limit`, `-remaining` and `-reset` of one response, or `ratelimit-…`.

    Attributes:
        limit: calls that one window takes, from 1 up.
        remaining: calls that it still takes, after this one.
        reset_seconds: until the window ends, rounded up to whole seconds.
    """

    limit: int
    remaining: int
    reset_seconds: int


def is_rate_limit(response: UpstreamResponse) -> bool:
    """Say whether a response refuses a call for the number of calls."""
    return response.status == TOO_MANY_REQUESTS


def rate_report(response: UpstreamResponse) -> RateReport | None:
    """Return what the headers say; None where the server did not count the call."""
    for prefix in _PREFIXES:
        if prefix + "limit" not in response.headers:
            continue
        texts = [
            response.headers.get(prefix + name, "").strip()
            for name in ("limit", "remaining", "reset")
        ]
        if all(_NUMBER.fullmatch(text) for text in texts):
            report = RateReport(*map(int, texts))
            is_usable = report.limit and report.reset_seconds <= MAX_RESET_SECONDS
            return report if is_usable else None
    return None


def pause_asked_for(response: UpstreamResponse, now: float) -> float | None:
    """Return the seconds that a response asks to wait; None where it limits no rate.

    That is a 429, or a server error with `retry-after`: Infisical of 2024 answers 500 (measured).
    `now`: seconds since the epoch, for the date form of the header.
    """
    header = response.headers.get("retry-after")
    is_limit = is_rate_limit(response)
    if not is_limit and (response.status < SERVER_ERRORS or header is None):
        return None
    asked = _from_header(header, now)
    if asked is None and (words := _IN_WORDS.search(response.text("message"))):
        asked = float(words[1])
    if asked is None:
        asked = _from_header(response.headers.get("x-ratelimit-reset"), now)
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
