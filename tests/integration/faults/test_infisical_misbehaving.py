"""Infisical breaks under the whole service, for fifty requests at once, and is mended again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.load import ANSWERED, kinds, slowest, store_secrets
from tests.support.infisical_model import Result, html, refusal
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

AT_ONCE = 50
DEADLINE_SECONDS = 3.0 + 0.7  # what the service may take, and a busy machine's share
HEALED_SECONDS = 8.0
WAYS: dict[str, str | Result] = {
    "hang": Break.HANG,
    "reset": Break.RESET,
    "half a body": Break.HALF,
    "close": Break.CLOSE,
    "500": refusal(500, "InternalServerError", "Something went wrong"),
    "429": refusal(429, "RateLimitExceeded", "Rate limit exceeded.", retry_after="2"),
    "html": html(),
}


def break_reads(server: InfisicalServer, way: str | Result) -> None:
    """Break every secret read from now on."""
    if isinstance(way, Result):
        server.model.faults.extend([way] * 10_000)
    else:
        server.breaks.extend([way] * 10_000)


def mend(server: InfisicalServer) -> None:
    """Let reads be answered again."""
    server.breaks.clear()
    server.model.faults.clear()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_each_request_gets_one_typed_reply_in_time_and_all_succeed_soon_after(
    way: str | Result,
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, AT_ONCE)

    async with ServiceProcess(settings, tmp_path) as service:
        before = await hosts.rush(keys)
        break_reads(infisical, way)
        during = await hosts.rush(keys)
        mend(infisical)
        healed_after = await hosts.until_answered(keys[0])
        after = await hosts.rush(keys)
        assert await service.stop() == 0

    assert kinds(before) == {ANSWERED: AT_ONCE}
    assert kinds(during) == {"UpstreamError": AT_ONCE}
    assert slowest(during) < DEADLINE_SECONDS
    assert healed_after < HEALED_SECONDS
    assert kinds(after) == {ANSWERED: AT_ONCE}
    assert hosts.each_got_one_reply
