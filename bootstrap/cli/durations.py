"""Lengths of time, as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)

METAVAR = "TIME"
"""How help texts name such an argument."""


def duration_seconds(text: str) -> int:
    """Return the seconds of `90`, `90s`, `10m`, `2h` or `7d`.

    Raises:
        ValueError: it is not written so; the text says how to.
    """
    if not (found := _DURATION.fullmatch(text.strip())):
        raise ValueError("write a number and a unit, such as 90s, 10m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]
