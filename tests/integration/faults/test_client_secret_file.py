"""A client secret in a file: replaced, gone and back, while hosts are asking."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.credentials import clock, replace_file, revoke_client_secret
from tests.integration.faults.load import ANSWERED, kinds, store_secrets, until_more
from tests.support.infisical_model import CLIENT_SECRET
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer


@pytest.fixture
def secret_file(settings: dict[str, str], tmp_path: Path) -> Path:
    """The file that the service is given its client secret in."""
    path = tmp_path / "client-secret"
    path.write_text(settings.pop("INFISICAL_CLIENT_SECRET") + "\n")
    settings["INFISICAL_CLIENT_SECRET_FILE"] = str(path)
    return path


def move(path: Path, to: Path) -> None:
    """Rename a file."""
    path.rename(to)


async def test_a_new_client_secret_in_the_file_heals_within_two_seconds(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
    secret_file: Path,
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 50)
            lockout = revoke_client_secret(infisical)
            await until_more(ends, 50, "UpstreamError")
            # Past the time at which an unchanged one would be tried again, if it were a variable.
            await asyncio.sleep(6.0)
            infisical.model.client_secrets.add("canary-second-secret")
            replace_file(secret_file, "canary-second-secret\n")
            replaced_at = clock.monotonic()
            await until_more(ends, 1)
            healed_after = clock.monotonic() - replaced_at
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert healed_after < 2.0
    assert lockout.times_locked == 0
    assert kinds(ends).keys() == {ANSWERED, "UpstreamError"}
    assert service.logged("infisical.login_tried_again")[0]["cause"] == "credentials_changed"
    assert "canary" not in service.output
    assert hosts.each_got_one_reply


async def test_a_client_secret_changed_before_the_old_one_is_revoked_costs_no_request(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
    secret_file: Path,
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 50)
            infisical.model.client_secrets.add("canary-second-secret")
            replace_file(secret_file, "canary-second-secret")
            infisical.model.client_secrets.discard(CLIENT_SECRET)
            infisical.model.valid_tokens.clear()
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends) == {ANSWERED: len(ends)}
    assert len(infisical.model.logins) == 2


async def test_a_client_secret_file_that_vanishes_is_said_to_be_and_heals_when_it_is_back(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
    secret_file: Path,
) -> None:
    keys = store_secrets(infisical, 50)
    aside = secret_file.with_suffix(".aside")

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=5) as ends:
            await until_more(ends, 50)
            move(secret_file, aside)
            infisical.model.valid_tokens.clear()
            await until_more(ends, 50, "UpstreamError")
            failed = await service.wait_for("infisical.login_failed", 2)
            move(aside, secret_file)
            back_at = clock.monotonic()
            await until_more(ends, 1)
            healed_after = clock.monotonic() - back_at
        assert await service.stop() == 0

    assert failed["reason"] == "infisical_credentials_unreadable"
    assert "INFISICAL_CLIENT_SECRET_FILE" in failed["advice"]
    assert healed_after < 2.0
    assert len(infisical.model.logins) == 2
    assert hosts.each_got_one_reply


async def test_sighup_has_a_refused_login_tried_at_once(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
    secret_file: Path,
) -> None:
    """With the secret in a file there is room for it at any time."""
    keys = store_secrets(infisical, 50)
    assert settings["INFISICAL_CLIENT_SECRET_FILE"] == str(secret_file)

    async with ServiceProcess(settings, tmp_path) as service:
        async with hosts.load(keys, askers=5) as ends:
            await until_more(ends, 50)
            lockout = revoke_client_secret(infisical)
            await until_more(ends, 50, "UpstreamError")
            infisical.model.client_secrets.add(CLIENT_SECRET)
            service.signal(signal.SIGHUP)
            signalled_at = clock.monotonic()
            await until_more(ends, 1)
            healed_after = clock.monotonic() - signalled_at
        assert await service.stop() == 0

    assert healed_after < 1.0
    assert lockout.times_locked == 0
    tried_again = service.logged("infisical.login_tried_again")
    assert [(again["cause"], again["in_seconds"]) for again in tried_again] == [("asked_for", 0.0)]
