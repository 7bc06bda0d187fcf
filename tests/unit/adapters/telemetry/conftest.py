"""Logging set up for one test, and put back after it."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from adapters.telemetry.log_setup import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator


class LogText(io.StringIO):
    """The stream a test logs to."""

    def records(self) -> list[dict[str, Any]]:
        """Return what was logged, read back as a collector reads it."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = tuple(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def log_text(restored_logging: None) -> LogText:
    """Log everything as JSON."""
    stream = LogText()
    configure_logging("debug", "json", stream)
    return stream
