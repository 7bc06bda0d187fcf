"""What the tests of watches share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.adapters.kubernetes.watch_rig import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A watch that runs until the test ends."""
    made = Rig()
    yield made
    await made.stop()
