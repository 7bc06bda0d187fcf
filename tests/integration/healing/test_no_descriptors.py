"""The process has no file descriptor left for a while, and says so instead of blaming the store."""

from __future__ import annotations

import resource
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import UpstreamError
from tests.support.environments import local_infisical_environment
from tests.support.host import connected_host
from tests.support.infisical_server import Break, InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another process's limit is set")


@contextmanager
def no_descriptors(pid: int) -> Iterator[None]:
    """Let a process open nothing more."""
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # Those that are open go on; a new one would have to be below.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


async def test_it_names_its_own_limit_and_heals(
    nats_url: str, subject_prefix: str, tmp_path: Path
) -> None:
    async with InfisicalServer() as store, connected_host(nats_url, subject_prefix) as host:
        store.model.put("KEY", "value")
        settings = local_infisical_environment(store, nats_url, subject_prefix, tmp_path)
        settings["CACHE_TTL_SECONDS"] = "0"
        async with ServiceProcess(settings, tmp_path) as service:
            await host.get("KEY")
            # The connection that is open ends, and there can be no other.
            store.breaks = [Break.CLOSE]
            with no_descriptors(service.pid), pytest.raises(UpstreamError) as failure:
                await host.get("KEY")
            assert "file descriptor" in failure.value.advice

            assert (await host.get("KEY")).value.reveal() == "value"
            assert await service.stop() == 0
