"""Several processes of one identity, real ones over a real NATS, when their tokens end at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.credentials import clock, replace_file
from tests.integration.faults.load import ANSWERED, kinds, store_secrets, until_more
from tests.support.infisical_lockout import LoginLockout
from tests.support.infisical_model import CLIENT_SECRET
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

REPLICAS, WORKERS = 2, 3
PROCESSES = REPLICAS * WORKERS
SECOND = "canary-second-secret"


@pytest.fixture
def secret_file(settings: dict[str, str], tmp_path: Path) -> Path:
    path = tmp_path / "client-secret"
    path.write_text(settings.pop("INFISICAL_CLIENT_SECRET"))
    settings |= {"INFISICAL_CLIENT_SECRET_FILE": str(path), "WORKERS": str(WORKERS)}
    settings |= {"REQUEST_TIMEOUT_SECONDS": "8"}
    return path


@pytest.fixture
async def replicas(
    settings: dict[str, str], tmp_path: Path, secret_file: Path, infisical: InfisicalServer
) -> AsyncIterator[list[ServiceProcess]]:
    """Two replicas of three workers, on a server that takes 80 ms for a login."""
    infisical.login_seconds = 0.08
    infisical.model.lockout = LoginLockout(clock.monotonic)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(ServiceProcess(settings, tmp_path))
            for _ in range(REPLICAS)
        ]


async def until_all_have_logged_in(infisical: InfisicalServer, count: int) -> None:
    async with asyncio.timeout(20):
        while len(infisical.model.logins) < count:  # noqa: ASYNC110  a model has no event
            await asyncio.sleep(0.02)


async def test_a_deleted_client_secret_costs_no_request_and_one_login_at_a_time(
    replicas: list[ServiceProcess],
    infisical: InfisicalServer,
    hosts: Crowd,
    secret_file: Path,
) -> None:
    keys = store_secrets(infisical, 50)

    async with hosts.load(keys, askers=24) as ends:
        await until_all_have_logged_in(infisical, PROCESSES)
        await until_more(ends, 100)
        infisical.most_logins = 0
        infisical.model.client_secrets.add(SECOND)
        replace_file(secret_file, SECOND)
        infisical.model.delete_client_secret(CLIENT_SECRET)
        await until_all_have_logged_in(infisical, 2 * PROCESSES)
        await until_more(ends, 100)

    assert kinds(ends) == {ANSWERED: len(ends)}
    assert infisical.most_logins == 1
    assert len(infisical.model.logins) == 2 * PROCESSES


async def test_a_deleted_client_secret_that_is_still_in_the_file_locks_no_identity(
    replicas: list[ServiceProcess],
    infisical: InfisicalServer,
    hosts: Crowd,
    secret_file: Path,
) -> None:
    keys = store_secrets(infisical, 50)

    async with hosts.load(keys, askers=24) as ends:
        await until_all_have_logged_in(infisical, PROCESSES)
        infisical.model.client_secrets.add(SECOND)
        infisical.model.delete_client_secret(CLIENT_SECRET)
        await until_more(ends, 400, "UpstreamError")
        await asyncio.sleep(1.0)
        wrong = len(infisical.model.logins) - PROCESSES
        replace_file(secret_file, SECOND)
        await until_more(ends, 100)

    lockout = infisical.model.lockout
    assert lockout is not None
    assert lockout.times_locked == 0
    # Of three that lock; another is left to a secret that changes.
    assert wrong == 1
