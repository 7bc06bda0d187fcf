"""The name server falls silent, so that each lookup of Infisical's name hangs for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.upstream.http1.dialing import KEPT_SECONDS
from tests.integration.faults.load import ANSWERED, IN_TIME_SECONDS, kinds, slowest, store_secrets
from tests.support.infisical_server import Break
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

NAME = "infisical.example"

ANOTHER_RESOLVER = f"""\
import pathlib
import socket
import time

_folder = pathlib.Path(__file__).parent
_true_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host, *arguments, **options):
    if host in ({NAME!r}, {NAME.encode()!r}):
        waited = 0
        while (_folder / "silent").exists():
            time.sleep(0.1)
            waited += 0.1
            if waited > 15:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        host = "127.0.0.1"
    return _true_getaddrinfo(host, *arguments, **options)


socket.getaddrinfo = getaddrinfo
"""
"""Python imports `sitecustomize` before anything else."""


async def test_requests_are_refused_in_time_and_each_is_in_the_audit_file_at_once(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)
    folder = tmp_path / "resolver"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ANOTHER_RESOLVER)
    trail = tmp_path / "audit.log"
    changed = settings | {
        "PYTHONPATH": f"{folder}:{ROOT}",
        "INFISICAL_BASE_URL": f"http://{NAME}:{urlsplit(infisical.url).port}",
        "AUDIT_FILE": str(trail),
    }

    async with ServiceProcess(changed, tmp_path) as service:
        (folder / "silent").touch()
        await asyncio.sleep(KEPT_SECONDS + 0.5)
        # Neither an address nor a connection is left, so each read needs the name.
        infisical.breaks.extend([Break.CLOSE] * 40)
        during = [*await hosts.rush(keys), *await hosts.rush(keys)]
        ends_audited = 1 + len(during)
        await until(lambda: trail.read_text("utf-8").count("\n") >= ends_audited)
        infisical.breaks.clear()
        (folder / "silent").unlink()
        healed_after = await hosts.until_answered(keys[0])
        after = await hosts.rush(keys)
        assert await service.stop() == 0

    assert kinds(during) == {"UpstreamError": 2 * len(keys)}
    assert slowest(during) < IN_TIME_SECONDS
    assert healed_after < 8.0
    assert kinds(after) == {ANSWERED: len(keys)}
    assert hosts.each_got_one_reply
