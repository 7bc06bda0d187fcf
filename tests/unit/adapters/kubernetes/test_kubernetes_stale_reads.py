"""Reads from the API server's watch cache while etcd is out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.kubernetes.reader import OUTAGE_SECONDS
from domain.model.errors import StoreUnavailable
from tests.support.infisical_model import Result
from tests.unit.adapters.kubernetes.kubernetes_rig import (
    PLAIN,
    KubernetesRig,
    cut,
    rig_with_a_secret,
)

if TYPE_CHECKING:
    from domain.model.secret import Secret


@pytest.fixture
def rig() -> KubernetesRig:
    return rig_with_a_secret()


def stale_rig() -> KubernetesRig:
    rig = KubernetesRig(may_be_stale=True)
    rig.model.put("shop", "plain", {"password": "hello"})
    return rig


def etcd_hangs(rig: KubernetesRig) -> None:
    """Have fresh reads fail and leave those from the watch cache alone."""
    rig.model.faults = [
        lambda call: None if "resourceVersion" in call.query else Result(504, b"")
    ] * 20


async def wait_for(rig: KubernetesRig, read: asyncio.Task[Secret]) -> Secret:
    for _ in range(40):
        await rig.settle()
        if read.done():
            break
        rig.clock.advance(0.5)
    return await read


async def test_in_an_outage_the_watch_cache_answers_and_the_answer_says_so() -> None:
    rig = stale_rig()
    etcd_hangs(rig)

    secret = await rig.get("plain/password")

    assert secret.value.reveal() == "hello"
    assert (secret.source, secret.note) == ("stale", "kubernetes_watch_cache")
    assert rig.targets[-1] == f"{PLAIN}?resourceVersion=0"
    assert (rig.reader.stale_reads, rig.reader.outages) == (1, 1)


async def test_a_read_that_hangs_gives_way_to_the_watch_cache_before_the_deadline() -> None:
    rig = stale_rig()
    rig.gate.clear()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.clock.advance(2.0)
    await rig.settle()
    rig.gate.set()

    assert (await read).source == "stale"


async def test_while_the_outage_lasts_reads_go_to_the_watch_cache_at_once() -> None:
    rig = stale_rig()
    etcd_hangs(rig)
    await rig.get("plain/password")
    before = len(rig.targets)

    await rig.get("plain/password")
    assert rig.targets[before:] == [f"{PLAIN}?resourceVersion=0"]

    rig.model.faults.clear()
    rig.clock.advance(OUTAGE_SECONDS)
    assert (await rig.get("plain/password")).source == "store"


async def test_that_something_is_absent_is_not_concluded_from_the_watch_cache() -> None:
    rig = stale_rig()
    rig.model.faults = [Result(504, b"")] * 5

    with pytest.raises(StoreUnavailable):
        await rig.get("absent/key")
    with pytest.raises(StoreUnavailable):
        await rig.get("absent/key")


async def test_without_leave_no_read_is_stale(rig: KubernetesRig) -> None:
    rig.model.faults = [Result(504, b"")] * 20

    with pytest.raises(StoreUnavailable):
        await rig.get("plain/password")

    assert all("resourceVersion" not in target for target in rig.targets)


async def test_an_unreachable_server_is_unavailable_with_and_without_leave() -> None:
    for rig in (stale_rig(), KubernetesRig()):
        rig.failures = [cut() for _ in range(40)]
        with pytest.raises(StoreUnavailable):
            await wait_for(rig, asyncio.create_task(rig.get("plain/password")))
