"""The service is started without anywhere to log to."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from tests.integration.faults.load import ANSWERED, store_secrets
from tests.support.service_process import ROOT
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer


async def test_a_service_without_stderr_answers_and_keeps_its_audit_file(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    (key,) = store_secrets(infisical, 1)
    trail = tmp_path / "audit.log"
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        'exec "$0" -m bootstrap.main 2>&-',
        sys.executable,
        cwd=tmp_path,
        env=settings | {"PYTHONPATH": str(ROOT), "AUDIT_FILE": str(trail)},
    )
    try:
        await hosts.until_answered(key)
        end = await hosts.ask(key)
    finally:
        process.terminate()
        async with asyncio.timeout(20):
            exit_code = await process.wait()

    assert (end.kind, exit_code) == (ANSWERED, 0)
    await until(trail.exists)
    recorded = [json.loads(line)["outcome"] for line in trail.read_text("utf-8").splitlines()]
    assert recorded.count(ANSWERED) >= 2
