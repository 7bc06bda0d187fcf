"""A denial by an API server that has just started proves nothing: it knows no roles yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import StoreUnavailable, Unauthorized
from tests.support.kubernetes_model import status
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.infisical_model import Call, Result

PLAIN = "/api/v1/namespaces/shop/secrets/plain"


def denied_and_then_silent(rig: KubernetesRig) -> Callable[[Call], Result]:
    """Deny a read, and have whatever is asked next wait for an answer."""

    def answer(_: Call) -> Result:
        rig.gate.clear()
        return status(403, "Forbidden", "secrets")

    return answer


@pytest.fixture
def rig() -> KubernetesRig:
    made = KubernetesRig()
    made.model.put("shop", "plain", {"password": "hello"})
    return made


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
