"""Tokens that end and a client secret that is revoked while hosts are asking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.faults.load import (
    ANSWERED,
    PATIENCE_SECONDS,
    kinds,
    slowest,
    store_secrets,
    until_more,
)
from tests.support.infisical_model import LOGIN_PATH, Call, Result, refusal
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

TOKEN_SECONDS = 1


def end_tokens_in_time(server: InfisicalServer) -> None:
    """Let each token end when its login said it would."""
    server.model.token_seconds = TOKEN_SECONDS

    def answer(call: Call) -> Result:
        result = server.model.answer(call)
        if call.path == LOGIN_PATH:
            asyncio.get_running_loop().call_later(
                result.body["expiresIn"],
                server.model.valid_tokens.discard,
                result.body["accessToken"],
            )
        return result

    server.answer = answer


async def until_next_login(server: InfisicalServer) -> None:
    logins = len(server.model.logins)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(server.model.logins) == logins:  # noqa: ASYNC110  a model tells nobody
            await asyncio.sleep(0.01)


async def test_tokens_that_end_cost_no_request_and_one_login_each(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)
    end_tokens_in_time(infisical)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=20) as ends:
            await asyncio.sleep(3 * TOKEN_SECONDS)
            # One ends long before its time, as when an administrator revokes it.
            infisical.model.token_seconds = 3600
            await until_next_login(infisical)
            await asyncio.sleep(0.3)
            infisical.model.valid_tokens.clear()
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends) == {ANSWERED: len(ends)}
    assert slowest(ends) < 3.7
    assert 4 <= len(infisical.model.logins) <= 10
    assert hosts.each_got_one_reply


async def test_a_revoked_client_secret_refuses_at_once_without_locking_the_identity_out(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    """A refused secret is not tried again for a minute; a start with a good one serves at once."""
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 50)
            logins = len(infisical.model.logins)
            infisical.model.login_faults.extend(
                [refusal(401, "UnauthorizedError", "Invalid credentials")] * 1000
            )
            infisical.model.valid_tokens.clear()
            await until_more(ends, 200, "UpstreamError")
        tried = len(infisical.model.logins) - logins
        assert await service.stop() == 0
    infisical.model.login_faults.clear()
    async with ServiceProcess(settings, tmp_path) as service:
        after = await hosts.rush(keys)
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED, "UpstreamError"}
    assert slowest(ends) < 3.7
    assert tried == 1
    assert kinds(after) == {ANSWERED: len(keys)}
    assert hosts.each_got_one_reply
