"""Tokens that end and a client secret that is revoked while hosts are asking."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import httpx

from tests.integration.faults.credentials import (
    clock,
    revoke_client_secret,
    until_logins,
    until_next_login,
)
from tests.integration.faults.load import (
    ANSWERED,
    IN_TIME_SECONDS,
    kinds,
    slowest,
    store_secrets,
    until_more,
)
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_model import CLIENT_SECRET, LOGIN_PATH, Call, Result
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
    assert slowest(ends) < IN_TIME_SECONDS
    assert 4 <= len(infisical.model.logins) <= 10
    assert hosts.each_got_one_reply


async def test_all_tokens_revoked_right_after_a_refresh_cost_no_request(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    """Requests under way are refused with the old token, and then with the one put in its place."""
    keys = store_secrets(infisical, 50)
    infisical.model.token_seconds = TOKEN_SECONDS

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=30) as ends:
            for _ in range(5):
                # Past the login that the last revocation led to, and before the next refresh.
                await asyncio.sleep(0.3)
                await until_next_login(infisical)
                infisical.model.valid_tokens.clear()
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends) == {ANSWERED: len(ends)}
    assert slowest(ends) < IN_TIME_SECONDS
    assert 11 <= len(infisical.model.logins) <= 14
    assert hosts.each_got_one_reply


async def test_a_client_secret_that_is_revoked_for_a_moment_heals_without_a_lockout(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 50)
            logins = len(infisical.model.logins)
            lockout = revoke_client_secret(infisical)
            await until_more(ends, 200, "UpstreamError")
            infisical.model.client_secrets.add(CLIENT_SECRET)
            restored_at = clock.monotonic()
            await until_more(ends, 1)
            healed_after = clock.monotonic() - restored_at
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED, "UpstreamError"}
    assert slowest(ends) < IN_TIME_SECONDS
    assert healed_after < 8.0
    assert len(infisical.model.logins) - logins == 2
    assert lockout.times_locked == 0
    assert hosts.each_got_one_reply


async def test_a_client_secret_that_stays_revoked_is_not_tried_until_it_locks(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=5) as ends:
            await until_more(ends, 50)
            logins = len(infisical.model.logins)
            lockout = revoke_client_secret(infisical)
            await until_logins(infisical, logins + 2)
            await asyncio.sleep(3.0)
            service.signal(signal.SIGHUP)
            tried_again = await service.wait_for("infisical.login_tried_again")
        assert await service.stop() == 0

    assert len(infisical.model.logins) - logins == 2
    assert lockout.times_locked == 0
    assert 20.0 < tried_again["in_seconds"] < 32.0
    assert slowest(ends) < IN_TIME_SECONDS
    assert hosts.each_got_one_reply


async def test_readiness_says_that_the_credentials_are_refused_and_what_to_check(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    port = neighbouring_ports(1)
    settings["ADMIN_ADDR"] = f":{port}"
    (key,) = store_secrets(infisical, 1)

    async with ServiceProcess(settings, tmp_path) as service, httpx.AsyncClient() as http:
        revoke_client_secret(infisical)
        assert (await hosts.rush([key]))[0].kind == "UpstreamError"
        answer = await http.get(f"http://127.0.0.1:{port}/readyz")
        metrics = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert await service.stop() == 0

    assert answer.status_code == 503
    store = answer.json()["checks"]["store"]
    assert not store["ok"]
    assert store["advice"].startswith("Failed to authenticate with Infisical; check INFISICAL_")
    assert "wasmcloud_secrets_infisical_token_remaining_seconds 0.0" in metrics
    assert 'reason="infisical_login_refused"} 1.0' in metrics


async def test_replicas_with_one_identity_count_each_other_s_refusals(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    """Each for itself would try a second time, and with the third refusal they are locked out."""
    keys = store_secrets(infisical, 50)

    async with (
        ServiceProcess(settings, tmp_path) as first,
        ServiceProcess(settings, tmp_path) as second,
    ):
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 100)
            logins = len(infisical.model.logins)
            lockout = revoke_client_secret(infisical)
            await until_logins(infisical, logins + 2)
            await asyncio.sleep(8.0)
        assert await first.stop() == 0
        assert await second.stop() == 0

    assert len(infisical.model.logins) - logins == 2
    assert lockout.times_locked == 0
    assert first.logged("infisical.login_refused_elsewhere")
    assert second.logged("infisical.login_refused_elsewhere")
    assert kinds(ends).keys() == {ANSWERED, "UpstreamError"}
    assert hosts.each_got_one_reply
