"""When a slot comes free, the request that gets it goes out first."""

from __future__ import annotations

import asyncio

from tests.unit.adapters.upstream.admission_rig import UNLIMITED, Rig


async def test_the_next_request_is_sent_before_the_answer_to_one_is_read() -> None:
    rig = Rig(slots=1)
    order: list[str] = []

    async def call(name: str) -> None:
        async with rig.slot() as slot:
            order.append(f"{name} is sent")
            await asyncio.sleep(0)
            slot.answered(UNLIMITED)
        order.append(f"{name} is read")

    await asyncio.gather(call("one"), call("two"))

    assert order == ["one is sent", "two is sent", "one is read", "two is read"]
    await rig.gate.aclose()
