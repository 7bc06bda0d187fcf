"""A core whose policy is a switch."""

from __future__ import annotations

import pytest

from tests.fakes.secret_store import FakeSecretStore
from tests.support.core import Core
from tests.unit.domain.use_cases.known_rig import Switch


@pytest.fixture
def core() -> Core:
    core = Core(access=Switch(), store=FakeSecretStore(environments=("prod", "test")))
    core.store.put("/KEY", "value")
    return core
