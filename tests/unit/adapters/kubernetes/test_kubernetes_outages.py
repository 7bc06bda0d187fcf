"""Reads while etcd is out, from the watch cache, and from an API server that has just started.

A denial by such a server proves nothing: it knows no roles yet.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.kubernetes.reader import OUTAGE_SECONDS
from domain.model.errors import StoreUnavailable, Unauthorized
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import status
from tests.unit.adapters.kubernetes.kubernetes_rig import (
    PLAIN,
    KubernetesRig,
    cut,
    rig_with_a_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.model.secret import Secret
    from tests.support.infisical_model import Call


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


def denied_and_then_silent(rig: KubernetesRig) -> Callable[[Call], Result]:
    """Deny a read, and have whatever is asked next wait for an answer."""

    def answer(_: Call) -> Result:
        rig.gate.clear()
        return status(403, "Forbidden", "secrets")

    return answer


async def test_a_denial_is_tried_again_while_the_server_is_starting(rig: KubernetesRig) -> None:
    rig.model.ready = False
    rights, rig.model.rights = rig.model.rights, set()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    assert rig.targets == [PLAIN, "/readyz"]

    rig.model.rights = rights
    rig.clock.advance(1.0)

    assert (await read).value.reveal() == "hello"


async def test_a_server_that_is_starting_for_longer_is_unavailable_and_denies_nothing(
    rig: KubernetesRig,
) -> None:
    rig.model.ready = False
    rig.model.rights.clear()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.clock.advance(1.0)

    with pytest.raises(StoreUnavailable, match="not ready"):
        await read
    assert rig.targets == [PLAIN, "/readyz", PLAIN, "/readyz"]


async def test_a_server_that_does_not_know_the_role_for_readyz_yet_is_starting(
    rig: KubernetesRig,
) -> None:
    rig.model.ready = None
    rights, rig.model.rights = rig.model.rights, set()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.model.rights = rights
    rig.clock.advance(1.0)

    assert (await read).value.reveal() == "hello"


async def test_a_denial_is_believed_the_second_time_where_readyz_is_denied_for_good(
    rig: KubernetesRig,
) -> None:
    rig.model.ready = None
    rig.model.rights.clear()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.clock.advance(1.0)

    with pytest.raises(Unauthorized):
        await read
    assert rig.targets == [PLAIN, "/readyz", PLAIN, "/readyz"]

    # For a while the next denials cost one call each, and no second.
    again = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    assert again.done()
    assert isinstance(again.exception(), Unauthorized)
    assert rig.targets[4:] == [PLAIN]


async def test_a_denial_by_a_server_that_is_ready_is_believed(rig: KubernetesRig) -> None:
    rig.model.rights.clear()
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await rig.get("plain/password")

    assert rig.targets == [PLAIN, "/readyz", PLAIN, PLAIN]


async def test_a_denial_is_not_believed_while_readyz_does_not_answer(rig: KubernetesRig) -> None:
    rig.model.ready = False
    rig.model.rights.clear()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.model.faults = [denied_and_then_silent(rig)]
    rig.clock.advance(1.0)
    await rig.settle()
    rig.clock.advance(1.0)

    with pytest.raises(StoreUnavailable):
        await read
