"""Certificate files are replaced under the running service, as their owners do before they end."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.environments import local_infisical_environment
from tests.support.host import connected_host
from tests.support.infisical_server import Break, InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from tests.integration.conftest import StartNatsServer

INTEGRATION = Path(__file__).resolve().parents[1]
FORMER, NEW = INTEGRATION / "nats" / "tls", INTEGRATION / "wasmcloud2" / "tls"
PREFIX = "certificates"


def replace(file: Path, by: Path) -> None:
    """Put another file in its place, as a mounted Kubernetes secret does."""
    beside = file.with_suffix(".new")
    shutil.copy(by, beside)
    beside.rename(file)


async def test_a_store_with_a_certificate_of_another_authority_is_read_without_a_restart(
    nats_url: str, subject_prefix: str, tmp_path: Path
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(FORMER / "server.pem", FORMER / "server-key.pem")
    trusted = tmp_path / "ca.pem"
    shutil.copy(FORMER / "ca.pem", trusted)
    async with (
        InfisicalServer(tls=tls) as store,
        connected_host(nats_url, subject_prefix) as host,
    ):
        store.model.put("KEY", "value")
        settings = local_infisical_environment(store, nats_url, subject_prefix, tmp_path) | {
            "INFISICAL_BASE_URL": store.url,
            "INFISICAL_CA_FILE": str(trusted),
            "CACHE_TTL_SECONDS": "0",
        }
        async with ServiceProcess(settings, tmp_path) as service:
            await host.get("KEY")
            tls.load_cert_chain(NEW / "server.pem", NEW / "server-key.pem")
            replace(trusted, NEW / "ca.pem")
            # Its certificate counts for new connections.
            store.breaks = [Break.CLOSE] * 2

            assert (await host.get("KEY")).value.reveal() == "value"
            await service.wait_for("certificates.read_again")
            assert await service.stop() == 0


async def test_a_nats_server_with_a_certificate_of_another_authority_is_reached_without_a_restart(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    def configuration(folder: Path) -> str:
        key = folder / "server-key.pem"
        return f'tls {{ cert_file: "{folder / "server.pem"}", key_file: "{key}" }}\n'

    server = await start_nats_server(configuration(FORMER) + "allow_non_tls: true")
    plain, trusted = server.url, tmp_path / "ca.pem"
    shutil.copy(FORMER / "ca.pem", trusted)
    async with InfisicalServer() as store:
        store.model.put("KEY", "value")
        settings = local_infisical_environment(store, server.url, PREFIX, tmp_path) | {
            "NATS_URL": plain.replace("nats://", "tls://"),
            "NATS_TLS_CA_FILE": str(trusted),
        }
        async with ServiceProcess(settings, tmp_path) as service:
            await server.reload(configuration(NEW) + "allow_non_tls: true")
            await server.restart()
            await service.wait_for("nats.error")
            replace(trusted, NEW / "ca.pem")
            await service.wait_for("nats.reconnected")
            async with connected_host(plain, PREFIX) as host:
                assert (await host.get("KEY")).value.reveal() == "value"
            assert await service.stop() == 0
