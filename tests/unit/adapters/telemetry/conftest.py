"""Logging set up for one test, and put back after it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from adapters.telemetry.log_setup import configure_logging


class LogText(io.StringIO):
    """The stream a test logs to."""

    def records(self) -> list[dict[str, Any]]:
        """Return what was logged, read back as a collector reads it."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log_text() -> LogText:
    """Log everything as JSON."""
    stream = LogText()
    configure_logging("debug", "json", stream)
    return stream
