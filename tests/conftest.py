"""What every test needs."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

from adapters.telemetry.log_setup import LibraryLogHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

# Collecting thousands of tests makes no garbage; looking for it takes a sixth of that time.
gc.disable()

# No deadline: a property takes microseconds an example, and a busy machine must not make it fail.
# The suite runs often, with other examples each time; --hypothesis-profile=deep looks longer.
settings.register_profile("quick", deadline=None, max_examples=25)
settings.register_profile("deep", deadline=None, max_examples=1000)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for their whole process; no test may inherit that."""
    root = logging.getLogger()
    level = root.level
    yield
    structlog.reset_defaults()
    for handler in tuple(root.handlers):
        if isinstance(handler, LibraryLogHandler):
            root.removeHandler(handler)
    root.setLevel(level)


def pytest_collection_finish() -> None:
    """Leave what was collected out of garbage collection: thousands of tests, seen each time."""
    gc.freeze()
    gc.enable()
