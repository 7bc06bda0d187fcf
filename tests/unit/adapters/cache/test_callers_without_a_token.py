"""A store that answers each caller by its token gives a workload nothing, from memory neither."""

from __future__ import annotations

import pytest

from domain.model.errors import UpstreamError
from domain.model.workload import Workload
from tests.unit.adapters.cache.cache_rig import PATH, Rig, whole_caller

CART = Workload("prod", "shop", "cart")


async def test_workloads_share_the_answers_of_a_store_that_answers_all_alike() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()

    cached = rig.cache.cached(rig.query()._replace(caller=CART))

    assert cached is not None
    assert cached.value.reveal() == "value"


async def test_a_store_that_tells_callers_apart_refuses_a_workload_unasked() -> None:
    rig = Rig(partition=whole_caller)
    rig.inner.put(PATH, "value")
    await rig.fetch()
    query = rig.query()._replace(caller=CART)

    with pytest.raises(UpstreamError) as from_memory:
        rig.cache.cached(query)
    with pytest.raises(UpstreamError) as from_store:
        await rig.request(query)

    assert from_memory.value.reason == from_store.value.reason == "store_needs_token"
    assert rig.calls == 1
