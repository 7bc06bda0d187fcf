"""What the operating system says about the service while it runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.environments import nats_kv_environment
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has /proc")


def limits_of(pid: int) -> str:
    return Path(f"/proc/{pid}/limits").read_text("ascii")


@pytest.mark.parametrize("lock", ["true", "false"])
async def test_the_service_leaves_no_core_file_and_says_what_it_achieved(
    nats_url: str, subject_prefix: str, tmp_path: Path, lock: str
) -> None:
    settings = nats_kv_environment(tmp_path) | {
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "NATS_KV_BUCKET": subject_prefix,
        "LOCK_MEMORY": lock,
    }

    async with ServiceProcess(settings, tmp_path) as service:
        limits = await asyncio.to_thread(limits_of, service._started.pid)
        (achieved,) = service.logged("process.hardened")

    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file")]
    assert core[4:6] == ["0", "0"]
    assert achieved["core_dumps_off"]
    assert achieved["undumpable"]
    assert (achieved["memory_lock"] == "off") == (lock == "false")
