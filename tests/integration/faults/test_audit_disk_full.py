"""The disk that holds the audit file fills up while hosts ask, and is given room again."""

from __future__ import annotations

import json
import resource
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.load import (
    ANSWERED,
    IN_TIME_SECONDS,
    kinds,
    slowest,
    store_secrets,
    until_more,
)
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits the files of a running process"
)


def let_files_grow_to(service: ServiceProcess, length: int) -> None:
    """Limit the process's files to that many bytes: a write beyond is cut, and the next fails."""
    _, hard = resource.prlimit(service._started.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service._started.pid, resource.RLIMIT_FSIZE, (length, hard))


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_no_secret_leaves_unrecorded_and_the_trail_goes_on_once_there_is_room(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)
    trail = tmp_path / "audit.log"

    async with ServiceProcess(settings | {"AUDIT_FILE": str(trail)}, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 50)
            # In the middle of a line, as disks do.
            let_files_grow_to(service, trail.stat().st_size + 1000)
            await service.wait_for("audit.file_failed")
            await until_more(ends, 50, "OtherError")
            let_files_grow_to(service, resource.RLIM_INFINITY)
            await service.wait_for("audit.file_recovered")
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED, "OtherError"}
    assert slowest(ends) < IN_TIME_SECONDS
    assert hosts.each_got_one_reply
    recorded = [event["outcome"] for event in events(trail) if event["operation"] == "get"]
    assert recorded.count(ANSWERED) == kinds(ends)[ANSWERED]
