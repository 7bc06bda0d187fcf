"""Secrets that Infisical fails on for good, asked for again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.faults.load import (
    ANSWERED,
    IN_TIME_SECONDS,
    kinds,
    slowest,
    store_secrets,
    until_more,
)
from tests.support.infisical_model import refusal
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_model import Call, Result
    from tests.support.infisical_server import InfisicalServer


async def test_they_do_not_keep_others_from_being_answered(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 30)
    broken, others = keys[:3], keys[3:]

    def answer(call: Call) -> Result:
        if call.path.rpartition("/")[2] in broken:
            return refusal(500, "InternalServerError", "Something went wrong")
        return infisical.model.answer(call)

    # All of them ask with the key of one host, whose start would have used up what it may wait.
    many_hosts = settings | {"HOST_FREEZE_SECONDS": "0"}

    async with ServiceProcess(many_hosts, tmp_path) as service:
        infisical.answer = answer
        async with hosts.load(broken, askers=3) as failing:
            await until_more(failing, 6, "UpstreamError")
            one_by_one = []
            for key in others[:20]:
                one_by_one.append(await hosts.ask(key))
                await asyncio.sleep(0.1)
            at_once = await hosts.rush(others)
        assert await service.stop() == 0

    assert kinds(one_by_one) == {ANSWERED: 20}
    assert kinds(at_once) == {ANSWERED: len(others)}
    assert slowest([*one_by_one, *at_once]) < IN_TIME_SECONDS
    assert kinds(failing).keys() == {"UpstreamError"}
    assert hosts.each_got_one_reply
