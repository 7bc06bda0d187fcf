"""Words for the people who read an error."""

from __future__ import annotations

import math


def seconds_in_words(seconds: float) -> str:
    """Return a time to wait, rounded up and 1 at least, such as "1 second" or "42 seconds"."""
    whole = max(1, math.ceil(seconds))
    return f"{whole} second" if whole == 1 else f"{whole} seconds"
