"""The one identity a caller cannot forge: the NATS account and user that the server names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.errors import Unauthorized
from ports.transport import ChannelError
from tests.integration.security.requester_rig import ENTITY, FORGERIES, forging
from tests.integration.security.roles import asking_host, service_settings, store_secret
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


async def test_a_genuine_request_is_answered_and_recorded_under_account_and_user(
    accounts_server: LocalNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    await store_secret(accounts_server, tmp_path, "KEY", "value")
    settings = service_settings(accounts_server, tmp_path) | strict

    async with (
        ServiceProcess(settings, tmp_path) as service,
        asking_host(accounts_server, "host-a") as host,
    ):
        secret = await host.get("KEY", entity_token=ENTITY)
        assert await service.stop() == 0

    assert secret.value.reveal() == "value"
    record = service.logged("secret_request")[-1]
    assert (record["requester_account"], record["requester_user"]) == ("LATTICE_A", "host-a")


async def test_another_account_is_refused_and_no_forged_header_helps_it(
    accounts_server: LocalNatsServer, tmp_path: Path, strict: dict[str, str]
) -> None:
    await store_secret(accounts_server, tmp_path, "KEY", "value")
    settings = service_settings(accounts_server, tmp_path) | strict

    async with ServiceProcess(settings, tmp_path) as service:
        for headers in ({}, *FORGERIES):
            channel = forging(headers)
            async with asking_host(accounts_server, "host-b", channel=channel) as host:
                with pytest.raises(Unauthorized):
                    await host.get("KEY", entity_token=ENTITY)
        assert await service.stop() == 0

    asked = [r for r in service.logged("secret_request") if r["operation"] == "get"]
    assert len(asked) == 1 + len(FORGERIES)
    assert {record["requester_account"] for record in asked} == {"LATTICE_B"}
    assert {record["reason"] for record in asked} == {"account_differs"}


WITHOUT_IMPORT = """
accounts {
  SECRETS {
    users: [{user: backend, password: password-of-backend}]
    exports: [{service: "wasmcloud.secrets.v1alpha1.infisical.>", accounts: [LATTICE_A]}]
  }
  LATTICE_A {users: [{user: host-a, password: password-of-host-a}]}
}
"""


async def test_an_account_without_the_import_finds_nobody(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    server = await start_nats_server(WITHOUT_IMPORT)
    settings = service_settings(server, tmp_path)

    service = ServiceProcess(settings, tmp_path, ready="nats.listening")
    async with service, asking_host(server, "host-a") as host:
        with pytest.raises(ChannelError) as caught:
            await host.get("KEY", entity_token=ENTITY)

    assert caught.value.reason == "no_responders"
