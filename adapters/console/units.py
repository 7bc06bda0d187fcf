"""Amounts and texts as a person reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup, escape

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_STEPS: Final = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"))
_KIBI: Final = 1024
_CODE: Final = re.compile(r"`([^`]+)`")


def prose(text: str) -> Markup:
    """Escape a text for HTML, and mark what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


def amount(name: str, value: float) -> str:
    """Write the value of a metric with the unit that its name ends in."""
    plain = name.removesuffix("_total")
    if plain.endswith("_timestamp_seconds") or plain == "process_start_time_seconds":
        return moment(value)
    if plain.endswith("_seconds"):
        return duration(value)
    if plain.endswith("_bytes"):
        return size(value)
    return f"{value:,.0f}" if value == value // 1 else f"{value:,.2f}"


def duration(seconds: float) -> str:
    """Write seconds, such as "3.2 ms", "1 min 5 s" or "3 d 4 h"."""
    for step, unit, smaller, rest in _STEPS:
        if seconds >= step:
            return f"{seconds // step:.0f} {unit} {seconds % step // smaller:.0f} {rest}"
    return f"{seconds:.1f} s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:.1f} ms"


def ago(seconds: float) -> str:
    """Write how long ago something was."""
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"


def size(count: float) -> str:
    """Write bytes, such as "1.5 MiB"."""
    unit = "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if count < _KIBI:
            break
        count, unit = count / _KIBI, larger
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"


def moment(time: float) -> str:
    """Write seconds since the epoch in UTC, to the second; "unknown" if it is no time."""
    return f"{shown} UTC" if (shown := clock(time)) else "unknown"


def clock(time: float) -> str:
    """Write seconds since the epoch as `moment`, without the zone; "" if it is no time."""
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return ""
