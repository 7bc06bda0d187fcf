"""An environment that holds nothing but what a test sets, and settings made from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bootstrap.settings.model import every_variable

if TYPE_CHECKING:
    from pathlib import Path


VARIABLES = frozenset(every_variable())


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Unset every setting and stand where there is no `.env`."""
    for name in VARIABLES.intersection(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
