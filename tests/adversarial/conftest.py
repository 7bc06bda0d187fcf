"""A core to attack, and what it logs."""

from __future__ import annotations

import pytest

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.telemetry.log_setup import configure_logging
from tests.adversarial.defended_core import DefendedCore, LogText


@pytest.fixture
def log() -> LogText:
    """Log everything, as the service does at its most talkative."""
    stream = LogText()
    configure_logging("debug", "json", stream)
    return stream


@pytest.fixture
def core(log: LogText) -> DefendedCore:
    return DefendedCore(log)


@pytest.fixture
def host() -> SodiumXKeyPair:
    return SodiumXKeyPair.generate()
