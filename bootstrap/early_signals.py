"""Signals that come before the service can take them: in the half second of its imports."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def take_early_signals() -> None:
    """Ignore SIGHUP, since nothing is read yet, and end at once on SIGTERM, since nothing runs yet.

    By default SIGHUP ends a process, and the first process of a container ignores SIGTERM.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)
