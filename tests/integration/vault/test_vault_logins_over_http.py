"""Every way of logging in, as the settings choose it, and files that stop the start."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from nacl.signing import SigningKey

from adapters.vault.caller_logins import sign
from adapters.vault.signing_keys import SigningKey as JwtKey
from domain.model.errors import StoreUnavailable, UpstreamError
from ports.plugin import PluginError
from ports.store_check import StoreMisconfiguredError
from tests.contracts.secret_store import CALLER
from tests.support.certificate_demanding_server import CertificateDemandingServer
from tests.support.infisical_model import Result
from tests.support.refused import refused
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.support.vault_server import VaultServer

if TYPE_CHECKING:
    from tests.integration.vault.conftest import OpenAdapter

TLS = Path(__file__).resolve().parents[1] / "nats" / "tls"
SEED = b"\x03" * 32
VALUE = '{"v":"x"}'


@pytest.fixture
def signed(server: VaultServer, tmp_path: Path) -> Path:
    """A JWT in a file that the server takes."""
    server.model.put("app", {"v": "x"})
    server.model.logins.jwt_keys = [bytes(SigningKey(SEED).verify_key)]
    file = tmp_path / "jwt"
    token = sign(JwtKey(SEED), CALLER, issuer="test", audience="Vault", now=1_800_000_000)
    file.write_text(f"{token}\n", "utf-8")
    return file


@pytest.mark.parametrize("login", ["jwt", "kubernetes"])
async def test_a_service_logs_in_by_a_token_of_another_issuer(
    server: VaultServer, open_adapter: OpenAdapter, signed: Path, login: str
) -> None:
    adapter = open_adapter(
        server.url, VAULT_LOGIN=login, VAULT_ROLE="demo", VAULT_JWT_FILE=str(signed)
    )

    assert await adapter.text("app") == VALUE
    assert server.targets[0] == f"/v1/auth/{login}/login"


async def test_an_outage_behind_a_kubernetes_login_is_no_verdict_on_the_token(
    server: VaultServer, open_adapter: OpenAdapter, signed: Path
) -> None:
    adapter = open_adapter(
        server.url, VAULT_LOGIN="kubernetes", VAULT_ROLE="demo", VAULT_JWT_FILE=str(signed)
    )
    server.login_instead = ["kubernetes_login_api_server_unreachable"]
    with refused(StoreUnavailable, "login_undecided"):
        await adapter.text("app")

    adapter.parts.reload()
    assert await adapter.text("app") == VALUE


async def test_a_gateway_s_refusal_is_no_verdict_on_the_credentials(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.put("app", {"v": "x"})
    adapter = open_adapter(server.url)
    assert await adapter.text("app") == VALUE
    blocked = b'{"errors":[{"message":"blocked","code":1020}]}'
    server.answer = lambda _: Result(403, blocked, {"content-type": "application/json"})
    with refused(StoreUnavailable, "vault_not_answering"):
        await adapter.get("app", seconds=2)

    server.answer = None
    assert await adapter.text("app") == VALUE


async def test_a_token_file_of_an_agent_is_read(
    server: VaultServer, open_adapter: OpenAdapter, tmp_path: Path
) -> None:
    server.model.put("app", {"v": "x"})
    server.model.logins.tokens = {"s.canary-sink"}
    (tmp_path / "sink").write_text("s.canary-sink\n", "utf-8")
    adapter = open_adapter(server.url, VAULT_LOGIN="token", VAULT_TOKEN_FILE=str(tmp_path / "sink"))

    assert await adapter.text("app") == VALUE


async def test_an_agent_at_the_address_is_sent_no_token(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.put("app", {"v": "x"})
    server.model.logins.tokens = {""}
    adapter = open_adapter(server.url, VAULT_LOGIN="agent")

    assert await adapter.text("app") == VALUE
    assert all("x-vault-token" not in call.headers for call in server.model.calls)
    assert adapter.parts.run is None


async def test_a_wrapped_secret_id_is_opened_and_used(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.put("app", {"v": "x"})
    server.model.logins.wrapped["s.wrap"] = ("auth/approle/role/app/secret-id", SECRET_ID)
    adapter = open_adapter(
        server.url,
        VAULT_LOGIN="approle",
        VAULT_ROLE="app",
        VAULT_ROLE_ID=ROLE_ID,
        VAULT_WRAPPED_SECRET_ID="s.wrap",
    )

    assert await adapter.text("app") == VALUE
    assert server.model.logins.wrapped == {}
    assert server.targets[:2] == ["/v1/sys/wrapping/lookup", "/v1/sys/wrapping/unwrap"]


async def test_a_role_without_a_secret_id_is_logged_in_to(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.login_instead = ["approle_no_bind_secret_id_login"]
    server.instead = ["kv2_read_ok"]
    adapter = open_adapter(
        server.url, VAULT_LOGIN="approle", VAULT_ROLE_ID=ROLE_ID, VAULT_KV_VERSION="2"
    )

    assert (await adapter.get("app/db")).version == "3"


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(TLS / "ca.pem"))
    context.load_cert_chain(TLS / "server.pem", TLS / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


CERTIFICATE = {
    "VAULT_LOGIN": "cert",
    "VAULT_ROLE": "svc",
    "VAULT_CACERT": str(TLS / "ca.pem"),
    "VAULT_CLIENT_CERT": str(TLS / "client.pem"),
    "VAULT_CLIENT_KEY": str(TLS / "client-key.pem"),
}


async def test_a_certificate_logs_in_and_its_server_is_checked(
    open_adapter: OpenAdapter, tls: ssl.SSLContext
) -> None:
    async with VaultServer(tls) as server:
        server.model.put("app", {"v": "x"})
        adapter = open_adapter(server.url, **CERTIFICATE, VAULT_TLS_SERVER_NAME="localhost")
        assert await adapter.text("app") == VALUE
        assert server.model.calls[0].body == b'{"name": "svc"}'

        other = open_adapter(server.url, **CERTIFICATE, VAULT_TLS_SERVER_NAME="vault.example.com")
        with pytest.raises(UpstreamError) as refused:
            await other.text("app")
        assert refused.value.reason == "vault_certificate_untrusted"
        assert "VAULT_CACERT" in refused.value.advice


async def test_a_server_that_is_signed_by_nobody_known_is_not_trusted(
    open_adapter: OpenAdapter, tls: ssl.SSLContext
) -> None:
    async with VaultServer(tls) as server:
        with pytest.raises(UpstreamError) as refused:
            await open_adapter(server.url).text("app")

    assert refused.value.reason == "vault_certificate_untrusted"


async def test_a_client_certificate_that_the_server_does_not_take_is_told(
    open_adapter: OpenAdapter,
) -> None:
    async with CertificateDemandingServer(ssl.TLSVersion.TLSv1_3) as server:
        adapter = open_adapter(
            f"https://{server.address}", **CERTIFICATE, VAULT_TLS_SERVER_NAME="localhost"
        )
        with pytest.raises(UpstreamError) as refused:
            await adapter.text("app")
        with pytest.raises(StoreMisconfiguredError, match="VAULT_CLIENT_CERT"):
            await adapter.parts.check.check()

    assert refused.value.reason == "vault_certificate_refused"


async def test_plain_http_at_a_tls_port_is_unavailable(
    open_adapter: OpenAdapter, tls: ssl.SSLContext
) -> None:
    async with VaultServer(tls) as server:
        with pytest.raises(StoreUnavailable):
            await open_adapter(server.url.replace("https", "http")).get("app", seconds=1)


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({"VAULT_CACERT": "{file}"}, "VAULT_CACERT"),
        ({"VAULT_CLIENT_CERT": "{file}", "VAULT_CLIENT_KEY": "{file}"}, "VAULT_CLIENT_CERT"),
        ({"VAULT_STATE_FOLDER": "{folder}/state"}, "VAULT_STATE_FOLDER"),
        (
            {"VAULT_LOGIN": "caller", "VAULT_ROLE": "demo", "VAULT_JWT_KEY_FILE": "{file}"},
            "VAULT_JWT_KEY_FILE",
        ),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(
    open_adapter: OpenAdapter, tmp_path: Path, variables: dict[str, str], setting: str
) -> None:
    file = tmp_path / "file"
    file.write_text("canary: nothing of the kind", "utf-8")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "vault-refused-logins.json").write_text("canary", "utf-8")
    given = {name: text.format(file=file, folder=tmp_path) for name, text in variables.items()}

    with pytest.raises(PluginError) as refused:
        open_adapter("https://vault.test", **given)

    assert setting in refused.value.setting
    assert "canary" not in str(refused.value)
