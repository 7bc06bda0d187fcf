"""The settings of Vault: names that its own tools know, and what belongs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.vault.settings import VaultSettings
from bootstrap.settings.variables import Variables
from ports.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

ADDR = {"VAULT_ADDR": "https://vault.example.com:8200/"}
APPROLE = {**ADDR, "VAULT_LOGIN": "AppRole", "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "canary-s"}


def read(**variables: str) -> VaultSettings:
    return Variables(variables).load(VaultSettings)


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read(**variables)
    assert "canary" not in str(refused.value)
    return [str(problem) for problem in refused.value.problems]


def test_an_approle_needs_no_more_than_its_ids() -> None:
    settings = read(**APPROLE)

    assert (settings.addr, settings.method, settings.auth_mount) == (
        "https://vault.example.com:8200",
        "approle",
        "approle",
    )
    assert (settings.mount, settings.kv_version, settings.namespace) == ("secret", "auto", "")
    assert settings.max_connections == 16
    assert "canary" not in repr(settings)


@pytest.mark.parametrize("prefix", ["VAULT", "BAO"])
def test_what_the_tools_of_both_servers_read_is_read_by_both_names(
    prefix: str, tmp_path: Path
) -> None:
    pem = tmp_path / "file.pem"
    pem.write_text("x")
    settings = read(
        **{
            f"{prefix}_ADDR": "http://127.0.0.1:8200",
            f"{prefix}_NAMESPACE": "/team1/sub/",
            f"{prefix}_TOKEN": " canary ",
            f"{prefix}_CACERT": str(pem),
            f"{prefix}_CLIENT_CERT": str(pem),
            f"{prefix}_CLIENT_KEY": str(pem),
            f"{prefix}_TLS_SERVER_NAME": "vault",
        }
    )

    assert settings.addr == "http://127.0.0.1:8200"
    assert settings.namespace == "team1/sub"
    assert settings.token is not None
    assert settings.token.get_secret_value() == "canary"
    assert (settings.cacert, settings.client_cert, settings.client_key) == (pem, pem, pem)
    assert (settings.tls_server_name, settings.method) == ("vault", "token")


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({"VAULT_TOKEN": "t"}, "VAULT_ADDR is not set"),
        (ADDR, "VAULT_LOGIN is not set: choose approle, token"),
        ({**ADDR, "VAULT_LOGIN": "ldap"}, "VAULT_LOGIN must be 'approle'"),
        ({**ADDR, "VAULT_LOGIN": "token"}, "VAULT_TOKEN is not set"),
        ({**ADDR, "VAULT_LOGIN": "approle"}, "VAULT_ROLE_ID is not set"),
        ({**ADDR, "VAULT_LOGIN": "jwt"}, "VAULT_ROLE is not set"),
        ({**ADDR, "VAULT_LOGIN": "jwt", "VAULT_ROLE": "r"}, "VAULT_JWT_FILE is not set"),
        ({**ADDR, "VAULT_LOGIN": "kubernetes"}, "VAULT_ROLE is not set"),
        ({**ADDR, "VAULT_LOGIN": "caller", "VAULT_ROLE": "r"}, "openssl genpkey"),
        ({**ADDR, "VAULT_LOGIN": "cert"}, "VAULT_CLIENT_CERT is not set"),
        ({"VAULT_ADDR": "http://x", "VAULT_LOGIN": "cert"}, "must begin with https://"),
        (
            {**APPROLE, "VAULT_TOKEN": "canary"},
            "has no effect with VAULT_LOGIN=approle",
        ),
        ({**APPROLE, "VAULT_ALLOWED_ROLES": "a"}, "VAULT_ALLOWED_ROLES has no effect"),
        ({**APPROLE, "VAULT_WRAPPED_SECRET_ID": "w", "VAULT_ROLE": "r"}, "are both set"),
        ({**APPROLE, "VAULT_CLIENT_CERT": "/nowhere"}, "VAULT_CLIENT_KEY must be set as well"),
        ({**APPROLE, "VAULT_MOUNT": "sys"}, "VAULT_MOUNT must be the path of a key-value engine"),
        ({**APPROLE, "VAULT_NAMESPACE": "a/../b"}, "VAULT_NAMESPACE must be a namespace"),
        ({**APPROLE, "VAULT_ALLOWED_NAMESPACES": "a,b c"}, "each must be a namespace"),
        ({**APPROLE, "VAULT_KV_VERSION": "3"}, "VAULT_KV_VERSION must be"),
        ({**APPROLE, "VAULT_LOGIN_MOUNT": "a b"}, "must be the path of an auth method"),
        ({**APPROLE, "VAULT_REDIRECT_ADDRESSES": "vault-0:8200"}, "must be an address"),
        ({**APPROLE, "VAULT_TLS_SERVER_NAME": ".vault"}, "VAULT_TLS_SERVER_NAME must be a host's"),
        ({**APPROLE, "VAULT_TLS_SERVER_NAME": f"{'x' * 64}.test"}, "must be a host's name"),
        ({**APPROLE, "VAULT_TLS_SERVER_NAME": "https://vault"}, "must be a host's name"),
        ({**APPROLE, "VAULT_MAX_CONNECTIONS": "0"}, "VAULT_MAX_CONNECTIONS must be at least 1"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(variables: dict[str, str], advice: str) -> None:
    assert advice in "\n".join(problems(**variables))


def test_a_wrapped_secret_id_needs_the_role_that_it_is_for() -> None:
    wrapped = {**ADDR, "VAULT_LOGIN": "approle", "VAULT_ROLE_ID": "r"}
    wrapped["VAULT_WRAPPED_SECRET_ID"] = "canary"

    assert problems(**wrapped) == [
        "VAULT_ROLE is not set: give the role that the secret_id is for."
    ]
    assert read(**wrapped, VAULT_ROLE="App").role == "app"


def test_lists_are_read_into_plain_names() -> None:
    settings = read(
        **APPROLE,
        VAULT_ALLOWED_MOUNTS="kv/, /team/kv",
        VAULT_ALLOWED_NAMESPACES="root,team1/",
        VAULT_ALLOWED_PATHS="/apps,/shared/",
        VAULT_SECRET_PATH="/apps/",
        VAULT_REDIRECT_ADDRESSES="https://vault-0:8200/,https://vault-1:8200",
    )

    assert settings.allowed_mounts == ("kv", "team/kv")
    assert settings.allowed_namespaces == ("", "team1")
    assert (settings.secret_path, settings.allowed_paths) == ("/apps", ("/apps", "/shared"))
    assert settings.redirect_addresses == ("https://vault-0:8200", "https://vault-1:8200")


def test_callers_log_in_to_the_mount_jwt_unless_another_is_named(tmp_path: Path) -> None:
    key = tmp_path / "keys.pem"
    key.write_text("x")
    caller = {**ADDR, "VAULT_LOGIN": "caller", "VAULT_ROLE": "demo", "VAULT_JWT_KEY_FILE": str(key)}

    assert read(**caller).auth_mount == "jwt"
    assert read(**caller, VAULT_LOGIN_MOUNT="auth/wasm/").auth_mount == "wasm"


@pytest.mark.parametrize("login", [{"VAULT_TOKEN": "t"}, APPROLE])
@pytest.mark.parametrize("place", ["missing", "file", "missing/below"])
def test_a_folder_that_cannot_keep_refused_logins_is_a_problem(
    tmp_path: Path, login: dict[str, str], place: str
) -> None:
    (tmp_path / "file").touch()

    settings = read(**{**ADDR, **login, "VAULT_STATE_FOLDER": str(tmp_path / place)})

    assert [str(problem) for problem in settings.unusable()] == [
        "VAULT_STATE_FOLDER must name an existing folder that this user may write to."
    ]
    assert not (tmp_path / "missing").exists()


def test_an_existing_folder_may_be_empty(tmp_path: Path) -> None:
    assert not [*read(**APPROLE, VAULT_STATE_FOLDER=str(tmp_path)).unusable()]
