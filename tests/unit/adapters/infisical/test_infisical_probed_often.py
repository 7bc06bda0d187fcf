"""However often probes arrive, checks cost Infisical no more than they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.admin_http.checks import STORE_FRESH_SECONDS, STORE_RETRY_SECONDS, store_check
from adapters.admin_http.readiness import Readiness
from tests.support.infisical_lockout import LoginLockout
from tests.support.infisical_model import CLIENT_SECRET
from tests.unit.adapters.infisical.conftest import unreachable

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


async def probe(world: World, readiness: Readiness, *, seconds: int) -> bool:
    """Ask every second, as an impatient orchestrator does, and return the last verdict."""
    ok = False
    for _ in range(seconds):
        ok = (await readiness.report())["store"].ok
        world.clock.advance(1.0)
        await world.settle()
    return ok


def readiness_of(world: World) -> Readiness:
    return Readiness([store_check(world.check, lambda: True)], world.clock)


async def test_checks_of_a_refused_login_never_lock_the_identity_and_find_it_mended(
    world: World,
) -> None:
    lockout = world.model.lockout = LoginLockout(world.clock.monotonic)
    world.model.client_secrets.clear()
    readiness = readiness_of(world)

    assert not await probe(world, readiness, seconds=600)
    assert lockout.times_locked == 0
    assert len(world.model.logins) <= 2 + 600 / 32

    world.model.client_secrets.add(CLIENT_SECRET)
    assert await probe(world, readiness, seconds=45)


async def test_an_idle_store_that_answers_is_read_four_times_a_minute(world: World) -> None:
    assert await probe(world, readiness_of(world), seconds=600)

    assert len(world.model.reads) == 600 / STORE_FRESH_SECONDS
    assert len(world.model.logins) == 1


async def test_a_store_that_is_down_is_found_mended_within_seconds(world: World) -> None:
    readiness = readiness_of(world)
    await probe(world, readiness, seconds=1)
    world.connection_faults = [unreachable()] * 1000
    assert not await probe(world, readiness, seconds=20)

    world.connection_faults.clear()
    assert await probe(world, readiness, seconds=int(STORE_RETRY_SECONDS) + 1)
