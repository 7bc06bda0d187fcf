"""Where the API server is and who asks: in a pod, and from a kubeconfig."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import SecretStr

from adapters.kubernetes.connection import ClientCertificate, Connection, Pem, in_cluster
from adapters.kubernetes.sources import read_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-kubeconfig-secret"


def mounted(folder: Path) -> Path:
    for name, text in (("token", "t"), ("ca.crt", "c"), ("namespace", "shop\n")):
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("10.0.0.1", "https://10.0.0.1:6443"),
        ("fd00::1", "https://[fd00::1]:6443"),
        ("api.test", "https://api.test:6443"),
    ],
)
def test_a_pod_finds_its_api_server(tmp_path: Path, host: str, url: str) -> None:
    found = in_cluster(host, "6443", mounted(tmp_path))

    assert found == Connection(
        url, Pem(tmp_path / "ca.crt"), token_file=tmp_path / "token", namespace="shop"
    )


@pytest.mark.parametrize("port", ["", "0", "65536", "tcp://10.0.0.1:443", "\u0661"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(ValueError, match="KUBERNETES_SERVICE_PORT"):
        in_cluster("10.0.0.1", port, mounted(tmp_path))


def test_a_pod_without_a_mounted_account_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="automountServiceAccountToken"):
        in_cluster("10.0.0.1", "443", tmp_path)


def test_token_and_certificate_together_are_refused() -> None:
    shown = ClientCertificate(Pem(data=b""), Pem(data=b""))

    with pytest.raises(ValueError, match="both"):
        Connection("https://api.test", token=SecretStr("t"), certificate=shown)
    with pytest.raises(ValueError, match="one way"):
        Connection("https://api.test")


def config(**changes: Any) -> dict[str, Any]:
    """One cluster, one user, one context; a change replaces the members of one of them."""
    parts: dict[str, Any] = {
        "cluster": {"server": "https://api.test:6443/"},
        "user": {"token": CANARY},
        "context": {"cluster": "c", "user": "u", "namespace": "shop"},
    } | changes
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": parts["cluster"]}],
        "users": [{"name": "u", "user": parts["user"]}],
        "contexts": [{"name": "x", "context": parts["context"]}],
    }


def written(folder: Path, document: object, name: str = "config") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_current_context_gives_server_token_and_namespace(tmp_path: Path) -> None:
    found = read_kubeconfig([written(tmp_path, config())])

    assert (found.url, found.namespace) == ("https://api.test:6443", "shop")
    assert found.token is not None
    assert found.token.get_secret_value() == CANARY
    assert CANARY not in repr(found)


def test_paths_count_from_the_file_they_stand_in(tmp_path: Path) -> None:
    cluster = {"server": "https://api.test", "certificate-authority": "pki/ca.pem"}
    user = {"client-certificate": "c.pem", "client-key": "/keys/k.pem"}
    found = read_kubeconfig([written(tmp_path, config(cluster=cluster, user=user))])

    assert found.authorities == Pem(tmp_path / "pki/ca.pem")
    assert found.certificate is not None
    assert found.certificate.certificate == Pem(tmp_path / "c.pem")
    assert str(found.certificate.key.path) == "/keys/k.pem"


def test_data_beats_files_and_a_token_file_beats_a_token(tmp_path: Path) -> None:
    data = base64.b64encode(b"PEM").decode()
    cluster = {
        "server": "https://api.test",
        "certificate-authority": "ca.pem",
        "certificate-authority-data": data,
        "tls-server-name": "api.internal",
    }
    found = read_kubeconfig(
        [written(tmp_path, config(cluster=cluster, user={"token": "t", "tokenFile": "token"}))]
    )

    assert found.authorities == Pem(data=b"PEM")
    assert (found.token, found.token_file) == (None, tmp_path / "token")
    assert found.tls_server_name == "api.internal"


def test_of_several_files_the_first_word_on_each_name_wins(tmp_path: Path) -> None:
    first = {
        "users": [{"name": "u", "user": {"tokenFile": "first"}}],
        "contexts": [{"name": "y", "context": {"cluster": "c", "user": "u"}}],
    }
    paths = [written(tmp_path / "a", first), written(tmp_path / "b", config())]

    assert read_kubeconfig(paths).token_file == tmp_path / "a" / "first"
    assert read_kubeconfig(paths, "y").namespace is None


@pytest.mark.parametrize(
    ("part", "members", "word"),
    [
        ("user", {"exec": {"command": CANARY}}, "exec"),
        ("user", {"auth-provider": {"name": CANARY}}, "auth-provider"),
        ("user", {"username": "a", "password": CANARY}, "username"),
        ("user", {"token": CANARY, "as": "jane"}, "impersonates"),
        ("user", {"token": CANARY, "client-certificate": "c", "client-key": "k"}, "both"),
        ("user", {"client-certificate": "c"}, "without the other"),
        ("user", {"client-certificate-data": "?" + CANARY, "client-key": "k"}, "base64"),
        ("user", {"token": 12}, "token"),
        ("user", {}, "one way"),
        ("cluster", {}, "server"),
        ("cluster", {"server": "https://a", "insecure-skip-tls-verify": True}, "certificate"),
        ("cluster", {"server": "https://a", "proxy-url": "http://proxy"}, "proxy"),
        ("cluster", {"server": "https://a", "tls-server-name": "a..b"}, "tls-server-name"),
        ("cluster", {"server": "https://a", "tls-server-name": "a\0b"}, "tls-server-name"),
        ("user", {"token": "can\nary"}, "token"),
        ("context", {"cluster": "other", "user": "u"}, "cluster"),
        ("context", {"cluster": "c", "user": "other"}, "user"),
        ("context", {"user": "u"}, "cluster"),
    ],
)
def test_what_is_not_followed_is_refused_loudly(
    tmp_path: Path, part: str, members: dict[str, Any], word: str
) -> None:
    path = written(tmp_path, config(**{part: members}))

    with pytest.raises(ValueError, match=word) as refused:
        read_kubeconfig([path])

    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("text", ["[", "- a", "text", "", "\0", "a: !!python/name:os.system"])
def test_what_is_no_kubeconfig_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"no YAML|no current-context") as refused:
        read_kubeconfig([path])

    assert refused.value.__context__ is None


def test_a_missing_file_and_a_missing_context_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_kubeconfig([tmp_path / "absent"])
    with pytest.raises(ValueError, match="context"):
        read_kubeconfig([written(tmp_path, config())], "absent")
