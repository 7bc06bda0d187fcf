"""A policy file on disk, and the rules that are read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.access_policy.file import AccessPolicyFile
from tests.fakes.clock import FakeClock
from tests.unit.adapters.access_policy.policies import GOOD

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def policy(path: Path, clock: FakeClock) -> AccessPolicyFile:
    return AccessPolicyFile(path, clock)
