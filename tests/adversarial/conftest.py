"""A core to attack, and what it logs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from adapters.telemetry.log_setup import configure_logging
from tests.adversarial.defended_core import DefendedCore, LogText

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def log() -> Iterator[LogText]:
    """Log everything, as the service does at its most talkative."""
    root = logging.getLogger()
    handlers, level = tuple(root.handlers), root.level
    stream = LogText()
    configure_logging("debug", "json", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def core(log: LogText) -> DefendedCore:
    return DefendedCore(log)
