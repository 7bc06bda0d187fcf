"""The first connect over TLS: certificates, both ways, and who gets no credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.nats.settings import NatsSettings
from tests.integration.nats.connecting_rig import assert_connects, fail

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


TLS = Path(__file__).parent / "tls"
SERVER_TLS = f'cert_file: "{TLS}/server.pem", key_file: "{TLS}/server-key.pem"'
CLIENT_VERIFIED = f'{SERVER_TLS}, ca_file: "{TLS}/ca.pem", verify: true'


async def test_tls_with_an_own_authority_and_a_client_certificate(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(f"tls {{ {CLIENT_VERIFIED} }}")
    trusting: dict[str, Any] = {"tls_ca_file": TLS / "ca.pem"}
    certified: dict[str, Any] = {
        "tls_cert_file": TLS / "client.pem",
        "tls_key_file": TLS / "client-key.pem",
    }

    await assert_connects(NatsSettings(urls=(server.url,), **trusting, **certified))
    error = await fail(NatsSettings(urls=(server.url,), **trusting))
    assert error.reason in {"tls", "failed"}
    assert (await fail(NatsSettings(urls=(server.url,), **certified))).reason == "certificate"


async def test_tls_with_the_handshake_first(start_nats_server: StartNatsServer) -> None:
    server = await start_nats_server(f"tls {{ {SERVER_TLS}, handshake_first: true }}")
    trusting: dict[str, Any] = {"tls_ca_file": TLS / "ca.pem"}

    await assert_connects(NatsSettings(urls=(server.url,), tls_first=True, **trusting))
    error = await fail(NatsSettings(urls=(server.url,), **trusting))
    assert error.reason in {"timeout", "not_nats"}
    assert "handshake" in str(error) or error.reason == "timeout"


async def test_a_server_whose_certificate_is_not_trusted_gets_no_credentials(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(f"tls {{ {SERVER_TLS} }}")

    assert (await fail(NatsSettings(urls=(server.url,)))).reason == "certificate"


async def test_where_tls_is_asked_for_a_server_without_it_gets_no_credentials(
    nats_server: LocalNatsServer,
) -> None:
    for config in (
        NatsSettings(urls=(f"tls://127.0.0.1:{nats_server.port}",)),
        NatsSettings(urls=(nats_server.url,), tls_ca_file=TLS / "ca.pem"),
    ):
        assert (await fail(config)).reason == "tls_missing"


async def test_where_tls_is_asked_for_and_optional_on_the_server_it_is_used(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server(f"tls {{ {SERVER_TLS} }}\nallow_non_tls: true")

    await assert_connects(NatsSettings(urls=(server.url,), tls_ca_file=TLS / "ca.pem"))
    assert (await fail(NatsSettings(urls=(f"tls://127.0.0.1:{server.port}",)))).reason == (
        "certificate"
    )


@pytest.mark.parametrize(
    "files",
    [
        {"tls_ca_file": TLS / "README.md"},
        {"tls_cert_file": TLS / "client.pem", "tls_key_file": TLS / "server-key.pem"},
    ],
)
async def test_unusable_tls_files_are_named(nats_url: str, files: dict[str, Any]) -> None:
    error = await fail(NatsSettings(urls=(nats_url,), **files))

    assert error.reason == "tls_files"
    assert "tls" in str(error)
