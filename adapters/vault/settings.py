"""What the operator decides about Vault or OpenBao."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AliasChoices, Field
from typing_extensions import override

from adapters.crypto.seed_file import place_problem
from adapters.system.secret_file import Kind, secret_file_problem
from adapters.system.setting_types import (
    Choice,
    Folder,
    Folders,
    HttpUrl,
    HttpUrls,
    ReadableFile,
    Seconds,
    SecretText,
    ServerName,
    Text,
)
from adapters.vault.names import LoginMount, Mount, Mounts, Namespace, Namespaces, Role, Roles
from adapters.vault.settings_together import contradictions
from ports.settings import Problem, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KUBERNETES_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  a path

Login = Literal["approle", "token", "jwt", "kubernetes", "cert", "agent", "caller"]

_SECRET_FILES: Final = (
    "token_file",
    "role_id_file",
    "secret_id_file",
    "wrapped_secret_id_file",
    "jwt_file",
)


def _twin(name: str) -> AliasChoices:
    """Return the names of a variable that Vault's and OpenBao's own tools know as well."""
    return AliasChoices(f"VAULT_{name}", f"BAO_{name}")


class VaultSettings(SettingsGroup):
    """Used when SECRET_STORE is vault."""

    prefix: ClassVar[str] = "VAULT_"

    addr: HttpUrl = Field(
        default="",
        validation_alias=_twin("ADDR"),
        description="Address of Vault or OpenBao, such as https://vault.example.com:8200. "
        "Required for Vault.",
    )
    namespace: Namespace = Field(
        default="",
        validation_alias=_twin("NAMESPACE"),
        description="Namespace to log in to and to read from. Unset: the root.",
    )
    cacert: ReadableFile | None = Field(
        default=None,
        validation_alias=_twin("CACERT"),
        description="CA certificates (PEM) that Vault is checked against.",
    )
    client_cert: ReadableFile | None = Field(
        default=None,
        validation_alias=_twin("CLIENT_CERT"),
        description="Client certificate (PEM) shown to Vault, for the login `cert` and where the "
        "listener requires one.",
    )
    client_key: ReadableFile | None = Field(
        default=None,
        validation_alias=_twin("CLIENT_KEY"),
        description="Private key (PEM) of the client certificate.",
    )
    tls_server_name: ServerName | None = Field(
        default=None,
        validation_alias=_twin("TLS_SERVER_NAME"),
        description="Name that Vault's certificate must have. Unset: the address's host.",
    )
    token: SecretText | None = Field(
        default=None,
        validation_alias=_twin("TOKEN"),
        description="Token to read with, for the login `token`.",
    )
    token_file: ReadableFile | None = Field(
        default=None,
        description="File that holds the token, such as an agent's sink. It is read again every "
        "half minute.",
    )
    login: Annotated[Login, Choice] | None = Field(
        default=None,
        description="How to log in: `approle`, `token`, `jwt`, `kubernetes`, `cert`, `agent` (an "
        "agent or proxy at the address logs in) or `caller` (each component by itself, see "
        "[vault.md](vault.md)). Unset: `token` if one is given. Required otherwise.",
    )
    login_mount: LoginMount | None = Field(
        default=None,
        description="Path of the auth method. Unset: the login's name, for callers `jwt`.",
    )
    role: Role | None = Field(
        default=None,
        description="Role to log in to. Required for `jwt`, `kubernetes`, `caller` and a wrapped "
        "secret_id.",
    )
    role_id: SecretText | None = Field(default=None, description="AppRole's role_id.")
    role_id_file: ReadableFile | None = Field(
        default=None, description="File that holds the role_id; read again for each login."
    )
    secret_id: SecretText | None = Field(default=None, description="AppRole's secret_id.")
    secret_id_file: ReadableFile | None = Field(
        default=None, description="File that holds the secret_id; read again for each login."
    )
    wrapped_secret_id: SecretText | None = Field(
        default=None,
        description="Wrapping token of a secret_id. It is opened once, after a look at its origin.",
    )
    wrapped_secret_id_file: ReadableFile | None = Field(
        default=None, description="File that holds such a wrapping token."
    )
    jwt_file: ReadableFile | None = Field(
        default=None,
        description="File that holds the JWT to log in with; read again for each login. Unset: "
        "for `kubernetes` the service account's.",
    )
    caller_login: Annotated[Literal["auto", "inline", "token"], Choice] = Field(
        default="auto",
        description="How callers log in: `inline` along with each read (OpenBao 2.4 and later), "
        "`token` ahead of the first read. `auto` finds out what the server knows.",
    )
    jwt_key_file: ReadableFile | None = Field(
        default=None,
        description="File of Ed25519 private keys (PEM) that sign callers' logins: the first "
        "signs, all are published. Read again on SIGHUP. Required for the login `caller`.",
    )
    jwt_issuer: Text = Field(
        default="wasmcloud-secrets", description="`iss` of the tokens that log callers in."
    )
    jwt_audience: Text = Field(
        default="Vault", description="`aud` of these tokens; case-sensitive."
    )
    publish_jwt_keys: bool = Field(
        default=True,
        description="Publish the public keys at `/vault/jwks.json` and `/vault/jwt-keys.pem` of "
        "`ADMIN_ADDR`, for the login `caller`.",
    )
    mount: Mount = Field(default="secret", description="Path of the key-value engine.")
    kv_version: Annotated[Literal["auto", "1", "2"], Choice] = Field(
        default="auto",
        description="Version of all key-value engines here. `auto` asks the server for each.",
    )
    secret_path: Folder = Field(
        default="/", description="Folder in the engine that relative keys stand below."
    )
    allowed_mounts: Mounts = Field(
        default=(),
        description="Engines that a manifest's policy may choose, comma-separated, beside the "
        "configured one.",
    )
    allowed_namespaces: Namespaces = Field(
        default=(),
        description="Namespaces that it may choose, beside the configured one; `root` is the root.",
    )
    allowed_roles: Roles = Field(
        default=(),
        description="Roles that it may choose for the login `caller`, beside the configured one.",
    )
    allowed_paths: Folders = Field(
        default=(),
        description="Folders, with all below them, that keys and policies may reach. Unset: the "
        "configured folder.",
    )
    redirect_addresses: HttpUrls = Field(
        default=(),
        description="Addresses of the cluster's nodes, comma-separated, that a redirect to the "
        "active node may lead to.",
    )
    state_folder: Text | None = Field(
        default=None,
        description="Existing folder that keeps, across restarts, which credentials were refused: "
        "five refused logins lock an AppRole role. Other replicas are asked as well.",
    )
    connect_timeout_seconds: Seconds = Field(
        default=3.0, description="Time to connect, for each try."
    )
    read_timeout_seconds: Seconds = Field(
        default=5.0, description="Time to wait for an answer, for each try."
    )
    max_connections: int = Field(
        default=16, ge=1, description="Connections that each process opens to Vault at most."
    )
    max_requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Reads that all workers of this replica together send to Vault at most, in "
        "any minute. Unset: as many as Vault's quotas take.",
    )

    @property
    def method(self) -> Login:
        """The way of logging in."""
        return self.login or "token"

    @property
    def auth_mount(self) -> str:
        """The path of the auth method."""
        return self.login_mount or ("jwt" if self.method == "caller" else self.method)

    @override
    def unusable(self) -> Iterable[Problem]:
        for name in _SECRET_FILES:
            if (advice := secret_file_problem(getattr(self, name), Kind.OPAQUE)) is not None:
                yield Problem(self._variables_of(name)[0], advice)
        if self.state_folder is not None and place_problem(Path(self.state_folder) / "any"):
            advice = "must name an existing folder that this user may write to."
            yield Problem("VAULT_STATE_FOLDER", advice)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        return contradictions(given)
