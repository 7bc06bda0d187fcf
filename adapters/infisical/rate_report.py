"""What Infisical's rate headers say about the window that a call was counted in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.infisical.exchange import Answer

MAX_RESET_SECONDS = 120
"""Windows last for a minute; a larger number is a date, or something that nobody should wait for.
"""

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class RateReport:
    """The headers `x-ratelimit-limit`, `-remaining` and `-reset` of one answer (measured).

    Attributes:
        limit: calls that one window takes, from 1 up.
        remaining: calls that it still takes, after this one.
        reset_seconds: until the window ends, rounded up to whole seconds.
    """

    limit: int
    remaining: int
    reset_seconds: int


def read_report(answer: Answer) -> RateReport | None:
    """Return what the headers say, or None where the server did not count the call.

    It counts what it answers, missing secrets included, but not what it refuses for its token; and
    servers without limits send no such headers at all.
    """
    texts = [
        answer.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")
    ]
    if not all(_NUMBER.fullmatch(text.strip()) for text in texts):
        return None
    report = RateReport(*map(int, texts))
    return report if report.limit and report.reset_seconds <= MAX_RESET_SECONDS else None
