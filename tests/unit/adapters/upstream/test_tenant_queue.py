"""One queue in order of arrival, which passes over tenants that may not go on."""

from __future__ import annotations

import asyncio

from adapters.upstream.bulkhead import Bulkhead
from adapters.upstream.tenant_queue import TenantQueue, Waiter


def waiter(key: str, tenant: str) -> Waiter:
    return Waiter(key, tenant, 8.0, asyncio.get_running_loop().create_future())


async def test_waiters_come_out_in_order_of_arrival() -> None:
    queue = TenantQueue()
    for number, tenant in enumerate("abba"):
        queue.push(waiter(str(number), tenant))

    assert [w.key for w in queue.in_order()] == ["0", "1", "2", "3"]
    popped = [queue.pop(lambda _: True) for _ in range(4)]
    assert [one and one.key for one in popped] == list("0123")
    assert queue.waiting == 0


async def test_a_tenant_that_may_not_go_on_is_passed_over_and_keeps_its_place() -> None:
    queue = TenantQueue()
    for key, tenant in (("1", "hangs"), ("2", "goes"), ("3", "hangs")):
        queue.push(waiter(key, tenant))

    popped = [queue.pop(lambda tenant: tenant == "goes") for _ in range(2)]

    assert [one and one.key for one in popped] == ["2", None]
    assert [w.key for w in queue.in_order()] == ["1", "3"]


async def test_a_waiter_is_taken_out_once() -> None:
    queue = TenantQueue()
    one = waiter("1", "a")
    queue.push(one)

    assert [queue.remove(one), queue.remove(one)] == [True, False]
    assert list(queue.in_order()) == []


def test_no_tenant_holds_more_than_is_left_free() -> None:
    bulkhead = Bulkhead(19)
    held = []
    for tenant in "abcdef":
        count = 0
        while bulkhead.may_begin(tenant):
            bulkhead.begin(tenant)
            count += 1
        held.append(count)

    assert held == [10, 5, 2, 1, 1, 0]
    assert (bulkhead.free, bulkhead.in_flight) == (0, 19)
    bulkhead.end("a")
    assert bulkhead.may_begin("f")
    assert not bulkhead.may_begin("a")
