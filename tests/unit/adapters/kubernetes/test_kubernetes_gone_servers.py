"""A server that goes away is noticed by what becomes of calls, since its watches stay silent."""

from __future__ import annotations

import asyncio

import pytest

from adapters.kubernetes.watch import LONGEST_PAUSE_SECONDS
from adapters.kubernetes.watches import ASK_AGAIN_SECONDS, ASK_SECONDS, LOST_SECONDS
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.message import UpstreamResponse
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (TransportError(Failure.UNREACHABLE, "ReadError", reused=True), 1),
        (TransportError(Failure.UNREACHABLE, "ConnectError", never_sent=True), 1),
        (TransportError(Failure.TIMED_OUT, "ReadTimeout"), 0),
        (TransportError(Failure.UNTRUSTED, "ConnectError"), 0),
        (UpstreamResponse(503, {}), 1),
        (UpstreamResponse(500, {}), 0),
        (UpstreamResponse(200, {}), 0),
    ],
)
async def test_a_broken_connection_and_a_server_that_stops_are_told(
    outcome: UpstreamResponse | TransportError, told: int
) -> None:
    calls: list[int] = []
    rig = KubernetesRig()
    rig.failures = [outcome]
    rig.api.on_gone = lambda: calls.append(1)
    await rig.api.is_there()

    assert len(calls) == told


@pytest.mark.parametrize(
    ("failure", "told"),
    [(Failure.UNTRUSTED, 1), (Failure.REFUSED, 1), (Failure.UNREACHABLE, 0)],
)
async def test_certificates_are_read_again_after_one_is_not_taken(
    failure: Failure, told: int
) -> None:
    calls: list[bool] = []
    rig = KubernetesRig(read_certificates=lambda *, at_once=False: calls.append(at_once))
    rig.failures = [TransportError(failure, "SSLError")]
    await rig.api.is_there()

    assert calls == [False] * told


async def test_a_reload_reads_them_at_once_and_opens_new_connections() -> None:
    calls: list[bool] = []
    rig = KubernetesRig(read_certificates=lambda *, at_once=False: calls.append(at_once))
    rig.api.reload()

    assert (calls, rig.engine.dropped) == ([True], 1)


async def test_a_small_call_is_made_now_and_then_while_secrets_are_watched() -> None:
    rig = KubernetesRig(watches=True)
    asking = asyncio.create_task(rig.watches._ask())
    for _ in range(int(3 * ASK_SECONDS / ASK_AGAIN_SECONDS)):
        await rig.settle()
        rig.clock.advance(ASK_AGAIN_SECONDS)
    await rig.settle()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert {*rig.targets} == {"/version"}
    assert 3 <= len(rig.targets) <= 6


async def test_that_call_may_fail() -> None:
    rig = KubernetesRig(watches=True)
    asking = asyncio.create_task(rig.watches._ask())
    rig.failures = [TransportError(Failure.UNREACHABLE, "ConnectError") for _ in range(5)]
    for _ in range(3):
        await rig.settle()
        rig.clock.advance(ASK_SECONDS)
    await rig.settle()

    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_once_a_call_succeeds_again_watches_that_wait_are_opened_at_once() -> None:
    rig = KubernetesRig(watches=True)
    watch = next(iter(rig.watches.all.values()))
    asking = asyncio.create_task(rig.watches._ask())
    waiting = asyncio.create_task(watch._pause(LONGEST_PAUSE_SECONDS))
    rig.failures = [TransportError(Failure.UNREACHABLE, "ConnectError") for _ in range(5)]
    while rig.failures:
        await rig.settle()
        rig.clock.advance(ASK_AGAIN_SECONDS / 2)
    assert not waiting.done()
    rig.clock.advance(ASK_AGAIN_SECONDS)
    await rig.settle()
    is_opened = waiting.done()
    for task in (asking, waiting):
        task.cancel()
    await asyncio.gather(asking, waiting, return_exceptions=True)

    assert is_opened


async def test_a_watch_that_has_just_broken_has_the_server_asked_more_often() -> None:
    rig = KubernetesRig(watches=True)
    watch = next(iter(rig.watches.all.values()))
    asking = asyncio.create_task(rig.watches._ask())
    watch._fail("broken", 0)
    for _ in range(8):
        await rig.settle()
        rig.clock.advance(ASK_AGAIN_SECONDS)
    await rig.settle()
    soon = len(rig.targets)
    rig.clock.advance(ASK_AGAIN_SECONDS)
    await rig.settle()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    # For as long as a server takes to start again, and no longer if it answers.
    assert soon == len(rig.targets) >= LOST_SECONDS / ASK_AGAIN_SECONDS - 1
