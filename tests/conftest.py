"""What every test needs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

from adapters.telemetry.library_log import LibraryLogHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

# A property takes microseconds an example; a busy machine must not make it fail.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


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
