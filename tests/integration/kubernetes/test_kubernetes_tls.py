"""Trust, client certificates and kubeconfigs over real TLS."""

from __future__ import annotations

import base64
import shutil
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from domain.model.errors import UpstreamError
from ports.plugin import PluginError
from ports.store_check import StoreMisconfiguredError
from tests.support.kubernetes_model import TOKEN
from tests.support.kubernetes_server import KubernetesServer
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.integration.kubernetes.conftest import Adapter, OpenAdapter

TLS = Path(__file__).resolve().parents[1] / "nats" / "tls"
CA, CERT, KEY = TLS / "ca.pem", TLS / "client.pem", TLS / "client-key.pem"


def server_tls(*, asks_for_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem", TLS / "server-key.pem")
    if asks_for_certificate:
        context.load_verify_locations(CA)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def read(adapter: Adapter) -> object:
    return (await adapter.get("db", "password")).value.reveal()


def filled(server: KubernetesServer) -> KubernetesServer:
    server.model.put("shop", "db", {"password": "value"})
    return server


async def test_the_servers_authority_is_trusted_and_no_other(open_adapter: OpenAdapter) -> None:
    async with filled(KubernetesServer(tls=server_tls())) as server:
        adapter = open_adapter(server.url, ca_file=CA, watch=True)
        assert await read(adapter) == "value"
        await until(lambda: server.open_watches == 1)

        stranger = open_adapter(server.url)
        with pytest.raises(UpstreamError) as failure:
            await read(stranger)
        with pytest.raises(StoreMisconfiguredError, match="KUBERNETES_CA_FILE"):
            await stranger.parts.check.check()

    assert failure.value.reason == "kubernetes_certificate_untrusted"


async def test_another_name_in_the_certificate_can_be_expected(open_adapter: OpenAdapter) -> None:
    async with filled(KubernetesServer(tls=server_tls())) as server:
        assert await read(open_adapter(server.url, ca_file=CA, tls_server_name="localhost"))
        with pytest.raises(UpstreamError):
            await read(open_adapter(server.url, ca_file=CA, tls_server_name="other.test"))


async def test_a_client_certificate_is_shown_instead_of_a_token(
    open_adapter: OpenAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filled(KubernetesServer(tls=server_tls(asks_for_certificate=True))) as server:
        monkeypatch.setattr(server.model, "user", lambda _: "system:serviceaccount:shop:backend")
        adapter = open_adapter(
            server.url, ca_file=CA, token_file=None, client_cert_file=CERT, client_key_file=KEY
        )

        assert await read(adapter) == "value"
        assert "authorization" not in server.model.calls[0].headers


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def kubeconfig(folder: Path, url: str, user: dict[str, str]) -> Path:
    path = folder / "config"
    authority = base64.b64encode(CA.read_bytes()).decode()
    cluster = {"server": url, "certificate-authority-data": authority}
    document = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def test_a_kubeconfig_is_enough(open_adapter: OpenAdapter, tmp_path: Path) -> None:
    async with filled(KubernetesServer(tls=server_tls())) as server:
        path = kubeconfig(tmp_path, server.url, {"token": TOKEN})
        adapter = open_adapter(None, token_file=None, namespace=None, kubeconfig=str(path))

        assert await read(adapter) == "value"
        assert server.model.calls[0].target == "/api/v1/namespaces/shop/secrets/db"


async def test_a_kubeconfigs_own_certificate_data_never_becomes_a_file(
    open_adapter: OpenAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = {
        "client-certificate-data": base64.b64encode(CERT.read_bytes()).decode(),
        "client-key-data": base64.b64encode(KEY.read_bytes()).decode(),
    }
    async with filled(KubernetesServer(tls=server_tls(asks_for_certificate=True))) as server:
        monkeypatch.setattr(server.model, "user", lambda _: "system:serviceaccount:shop:backend")
        path = kubeconfig(tmp_path, server.url, user)
        before = names(tmp_path)
        adapter = open_adapter(None, token_file=None, kubeconfig=str(path))

        assert await read(adapter) == "value"
        assert names(tmp_path) == before


@pytest.mark.parametrize("broken", ["ca_file", "client_cert_file", "client_key_file"])
def test_a_file_without_certificates_stops_the_start(
    open_adapter: OpenAdapter, tmp_path: Path, broken: str
) -> None:
    file = tmp_path / "broken.pem"
    file.write_text("canary-not-pem")
    files = {"ca_file": CA, "client_cert_file": CERT, "client_key_file": KEY, broken: file}

    with pytest.raises(PluginError, match="PEM") as refused:
        open_adapter("https://api.test", token_file=None, **files)

    assert "canary" not in str(refused.value)
    assert refused.value.__context__ is None


async def test_a_new_authority_is_taken_up_on_sighup(
    open_adapter: OpenAdapter, tmp_path: Path
) -> None:
    authorities = tmp_path / "ca.crt"
    authorities.write_bytes(CERT.read_bytes())
    async with filled(KubernetesServer(tls=server_tls())) as server:
        adapter = open_adapter(server.url, ca_file=authorities)
        with pytest.raises(UpstreamError):
            await read(adapter)
        shutil.copy(CA, authorities)
        adapter.parts.reload()

        assert await read(adapter) == "value"
