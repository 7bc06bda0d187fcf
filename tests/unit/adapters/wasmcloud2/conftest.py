"""A relay that is started, with two secrets that it may read."""

from __future__ import annotations

import pytest

from tests.support.workloads import workload_grant, workload_rules
from tests.unit.adapters.wasmcloud2.relay_rig import CANARY, Rig


@pytest.fixture
async def rig() -> Rig:
    rig = Rig(workload_rules(workload_grant("/db", "/token")))
    rig.reads.store.put("/db", CANARY)
    rig.reads.store.put("/token", "t0k3n")
    await rig.start()
    return rig
