"""The time of day as another process sees it, set forward and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ANOTHER_CLOCK = """\
import pathlib
import time

_offset = pathlib.Path(__file__).with_name("offset")
_true_time = time.time
_true_time_ns = time.time_ns
time.time = lambda: _true_time() + int(_offset.read_text())
time.time_ns = lambda: _true_time_ns() + int(_offset.read_text()) * 10**9
"""
"""Python imports `sitecustomize` before anything else; setting the real clock would move the whole
machine's, and a time namespace holds none of the time of day."""


class WallClock:
    """What a process with `folder` on its PYTHONPATH takes for the time of day."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self._offset.write_text("0")
        (folder / "sitecustomize.py").write_text(_ANOTHER_CLOCK)

    def jump(self, seconds: int) -> None:
        """Set it to that far from the true time, at once."""
        fresh = self._offset.with_name("offset.new")
        fresh.write_text(str(seconds))
        fresh.replace(self._offset)
