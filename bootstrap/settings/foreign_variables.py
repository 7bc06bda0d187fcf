"""Environment variables that libraries read by themselves."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_variables(prefix: str) -> Iterator[None]:
    """Hide variables while a library is imported and set up; no other thread may run meanwhile."""
    hidden = {name: text for name, text in os.environ.items() if name.startswith(prefix)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
