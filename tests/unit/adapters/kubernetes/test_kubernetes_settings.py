"""Settings: what is checked at start, and which connection they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.kubernetes.assembly import MAX_WATCHES
from adapters.kubernetes.connection import Pem
from adapters.kubernetes.plugin import PLUGIN
from adapters.kubernetes.settings import KubernetesSettings
from adapters.kubernetes.sources import connection_of
from ports.plugin import PluginError
from ports.settings import SettingsError
from tests.fakes.store_context import FakeStoreContext

if TYPE_CHECKING:
    from pathlib import Path

    from ports.store_plugin import StoreParts

POD = {"service_host": "10.0.0.1", "service_port": "6443"}


def problems(**given: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        KubernetesSettings(**given)
    return "\n".join(map(str, refused.value.problems))


@pytest.fixture
def account(tmp_path: Path) -> Path:
    for name, text in (("token", "t"), ("ca.crt", "c"), ("namespace", "shop\n")):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_in_a_pod_nothing_has_to_be_set(account: Path) -> None:
    settings = KubernetesSettings(**POD)
    connection = connection_of(settings, account)

    assert connection.url == "https://10.0.0.1:6443"
    assert connection.token_file == account / "token"
    assert settings.bounds(connection.namespace).namespaces == ("shop",)


def test_a_pod_may_bring_a_token_and_an_authority_of_its_own(account: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("x")
    connection = connection_of(KubernetesSettings(**POD, token_file=own, ca_file=own), account)

    assert (connection.token_file, connection.authorities) == (own, Pem(own))


def test_a_pod_without_a_mounted_token_may_bring_one(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("x")
    settings = KubernetesSettings(**POD, token_file=own, ca_file=own)

    assert connection_of(settings, tmp_path / "absent").namespace is None


def test_an_address_beats_the_pods(account: Path) -> None:
    settings = KubernetesSettings(**POD, api_url="https://api.test", token_file=account / "token")

    assert connection_of(settings, account).url == "https://api.test"
    assert settings.bounds(None).namespace == "default"


def test_outside_of_a_pod_an_address_or_a_kubeconfig_is_needed() -> None:
    text = problems()

    assert "KUBERNETES_API_URL is not set" in text
    assert "KUBERNETES_KUBECONFIG" in text


def test_an_address_needs_one_way_to_authenticate(account: Path) -> None:
    file = account / "token"
    pair = {"client_cert_file": file, "client_key_file": file}

    assert "KUBERNETES_TOKEN_FILE is not set" in problems(api_url="https://api.test")
    assert "both set" in problems(api_url="https://api.test", token_file=file, **pair)
    assert "KUBERNETES_CLIENT_KEY_FILE must be set" in problems(
        api_url="https://api.test", client_cert_file=file
    )


def test_what_a_kubeconfig_brings_is_not_set_beside_it(account: Path) -> None:
    file = account / "token"
    text = problems(kubeconfig="c", api_url="https://api.test", token_file=file, ca_file=file)

    assert text.count("both set") == 3
    assert "KUBERNETES_CONTEXT" in problems(**POD, context="x")


@pytest.mark.parametrize("name", ["client_cert_file", "client_key_file", "tls_server_name"])
def test_in_a_pod_some_settings_mean_nothing(account: Path, name: str) -> None:
    assert f"KUBERNETES_{name.upper()}" in problems(**POD, **{name: account / "token"})


def test_a_name_that_no_certificate_can_have_is_a_problem(account: Path) -> None:
    given: Any = {"api_url": "https://api.test", "token_file": account / "token"}

    assert "must be a host's name" in problems(**given, tls_server_name="api..test")
    assert KubernetesSettings(**given, tls_server_name="api.test").tls_server_name == "api.test"


@pytest.mark.parametrize("url", ["http://api.test", "http://10.0.0.1:8001"])
def test_a_token_never_crosses_a_network_in_clear(account: Path, url: str) -> None:
    settings = KubernetesSettings(api_url=url, token_file=account / "token")

    with pytest.raises(ValueError, match="https"):
        connection_of(settings)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://[::1]:8001", "http://localhost"])
def test_a_proxy_on_this_machine_may_speak_plainly(account: Path, url: str) -> None:
    settings = KubernetesSettings(api_url=url, token_file=account / "token")

    assert connection_of(settings).url == url


def test_no_variable_is_one_that_every_pod_has_for_its_services() -> None:
    names = {name for names in KubernetesSettings.variables().values() for name in names}
    kubelet = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}

    assert kubelet < names
    assert not any(
        name.startswith(("KUBERNETES_PORT", "KUBERNETES_SERVICE_")) for name in names - kubelet
    )


def build(**given: Any) -> StoreParts:
    return PLUGIN.build(KubernetesSettings(**given), FakeStoreContext())


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"namespace": "Shop"}, "KUBERNETES_NAMESPACE"),
        ({"allowed_secrets": ("a/b",)}, "KUBERNETES_ALLOWED_SECRETS"),
        ({"allowed_impersonations": ("-",)}, "KUBERNETES_ALLOWED_IMPERSONATIONS"),
        ({"api_url": "http://api.test"}, "https"),
        (
            {"watch": True, "allowed_secrets": tuple(f"s{n}" for n in range(MAX_WATCHES + 1))},
            "KUBERNETES_WATCH",
        ),
    ],
)
async def test_what_cannot_be_used_stops_the_start_with_advice(
    account: Path, given: dict[str, Any], word: str
) -> None:
    with pytest.raises(PluginError, match=word) as refused:
        build(**{"api_url": "https://api.test", "token_file": account / "token", **given})

    assert refused.value.__context__ is None


def test_a_kubeconfig_with_an_exec_plug_in_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}],"
        " clusters: [{name: c, cluster: {server: 'https://api.test'}}],"
        " users: [{name: u, user: {exec: {command: canary}}}]}"
    )

    with pytest.raises(PluginError, match="exec") as refused:
        build(kubeconfig=str(path))

    assert "canary" not in str(refused.value)


async def test_the_watch_decides_how_long_values_are_kept(account: Path) -> None:
    given: Any = {"api_url": "https://api.test", "token_file": account / "token"}
    quiet, watching = build(**given), build(**given, watch=True)

    assert (quiet.cache_ttl_seconds, quiet.run, quiet.announces_changes) == (5.0, None, False)
    assert watching.cache_ttl_seconds == 30.0
    assert watching.announces_changes
    assert quiet.server == ("api.test", 443)


def test_impersonation_is_a_weakness_to_be_told() -> None:
    plain = KubernetesSettings(**POD)
    trusting = KubernetesSettings(**POD, allowed_impersonations=("jane",))

    assert PLUGIN.warnings(plain) == ()
    assert "KUBERNETES_ALLOWED_IMPERSONATIONS" in PLUGIN.warnings(trusting)[0]
