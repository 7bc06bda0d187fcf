"""One of two workers freezes, as on a disk or a lock that never comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.load import ANSWERED, crowd, kinds, store_secrets
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from tests.support.infisical_server import InfisicalServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="child processes are listed in /proc"
)

ASKERS = 10


def workers_of(service: ServiceProcess) -> list[int]:
    pid = str(service._started.pid)
    children = Path("/proc") / pid / "task" / pid / "children"
    return [int(child) for child in children.read_text("ascii").split()]


async def test_a_frozen_worker_is_replaced_and_the_other_answers_meanwhile(
    settings: dict[str, str],
    infisical: InfisicalServer,
    nats_url: str,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 50)
    both = settings | {"WORKERS": "2"}

    async with (
        ServiceProcess(both, tmp_path, ready="workers.started") as service,
        crowd(nats_url, subject_prefix, waits_seconds=2.0) as hosts,
    ):
        async with hosts.load(keys, ASKERS) as ends:
            os.kill(workers_of(service)[0], signal.SIGSTOP)
            await service.wait_for("worker.silent")
            await service.wait_for("worker.restarted")
            await asyncio.sleep(0.5)
        frozen_and_after = kinds(ends)
        after = await hosts.rush(keys)
        assert await service.stop() == 0

    assert frozen_and_after.keys() == {ANSWERED, "timeout"}
    assert frozen_and_after[ANSWERED] > frozen_and_after["timeout"]
    assert kinds(after) == {ANSWERED: len(keys)}
    assert set(hosts.replies.values()) == {1}
