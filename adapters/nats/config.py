"""How to reach NATS: addresses, who this service is there, and TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr
from typing_extensions import override

from adapters.nats.subjects import NatsConfigError, is_subject

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMES = frozenset({"nats", "tls"})
_DEFAULT_PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """One server of the cluster, free of credentials: it may be shown anywhere."""

    host: str
    port: int
    tls: bool

    @override
    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'nats'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NatsConfig:
    """One connection's settings; its repr shows no credential.

    At most one way to log in is given: `credentials_file`, an nkey, user and password, or token. A
    token may stand beside the first two, for an authentication callout. Credentials inside a URL
    count as user and password, or as token, for every server of the cluster.

    Attributes:
        urls: servers of one cluster, such as `nats://host:4222`; `tls://` insists on TLS.
        credentials_file: a `.creds` file: user JWT and nkey seed; read anew at every connect.
        nkey_seed: the user's seed, `SU…`; with `user_jwt` for servers in operator mode.
        nkey_seed_file: a file that holds it.
        tls_ca_file: PEM certificates to trust instead of the system's; insists on TLS.
        tls_cert_file: this client's PEM certificate chain; insists on TLS.
        tls_key_file: its private key; by default in `tls_cert_file`.
        tls_handshake_first: for servers that want TLS before their first word.
        client_name: what the server's monitoring shows.
        inbox_prefix: where replies to this service's own requests go.
        jetstream_prefix: where JetStream's API is, if another account or a domain shares it.
        connect_timeout: seconds for each step of a connect.
        reconnect_wait: seconds between two attempts to reach the same server again.

    Raises:
        NatsConfigError: the settings contradict each other; the text holds no credential.
    """

    urls: tuple[str, ...] = field(repr=False)
    credentials_file: Path | None = None
    nkey_seed: SecretStr | None = None
    nkey_seed_file: Path | None = None
    user_jwt: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    tls_ca_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_handshake_first: bool = False
    client_name: str = "wasmcloud-secrets"
    inbox_prefix: str = "_INBOX"
    jetstream_prefix: str = "$JS.API"
    connect_timeout: float = 5.0
    reconnect_wait: float = 2.0
    addresses: tuple[NatsAddress, ...] = field(init=False)

    def __post_init__(self) -> None:
        parts = [_split(url) for url in self.urls]
        if not parts:
            raise NatsConfigError("Name at least one NATS server, such as nats://localhost:4222.")
        object.__setattr__(self, "addresses", tuple(_address(part) for part in parts))
        self._adopt_credentials(parts)
        self._check_login()
        if self.tls_key_file is not None and self.tls_cert_file is None:
            raise NatsConfigError("A NATS TLS key needs its certificate file beside it.")
        if not is_subject(self.inbox_prefix):
            raise NatsConfigError("The NATS inbox prefix must be a subject without wildcards.")
        if not is_subject(self.jetstream_prefix):
            raise NatsConfigError("The JetStream prefix must be a subject without wildcards.")
        if self.connect_timeout <= 0 or self.reconnect_wait < 0:
            raise NatsConfigError("The NATS connect timeout must be positive, in seconds.")

    @property
    def insists_on_tls(self) -> bool:
        """Whether a server without TLS is refused, before any credential is sent."""
        return (
            any(address.tls for address in self.addresses)
            or self.tls_handshake_first
            or self.tls_ca_file is not None
            or self.tls_cert_file is not None
        )

    def _adopt_credentials(self, parts: list[SplitResult]) -> None:
        found = {(part.username, part.password) for part in parts if part.username is not None}
        if not found:
            return
        if len(found) > 1 or self.user is not None or self.token is not None:
            raise NatsConfigError(
                "The NATS URLs and settings hold different credentials; give them only once."
            )
        user, password = found.pop()
        if password is None:
            object.__setattr__(self, "token", SecretStr(unquote(user or "")))
        else:
            object.__setattr__(self, "user", unquote(user or ""))
            object.__setattr__(self, "password", SecretStr(unquote(password)))

    def _check_login(self) -> None:
        if (self.user is None) != (self.password is None):
            raise NatsConfigError("A NATS user needs a password, and a password a user.")
        if self.nkey_seed is not None and self.nkey_seed_file is not None:
            raise NatsConfigError("Give the NATS nkey seed or its file, not both.")
        nkey = self.nkey_seed is not None or self.nkey_seed_file is not None
        if self.user_jwt is not None and not nkey:
            raise NatsConfigError("A NATS user JWT needs the nkey seed that goes with it.")
        signed = nkey + (self.credentials_file is not None)
        if signed > 1 or (self.user is not None and (signed or self.token is not None)):
            raise NatsConfigError(
                "Give one way to log in to NATS: a credentials file, an nkey seed, user and "
                "password, or a token."
            )


def _split(url: str) -> SplitResult:
    try:
        part = urlsplit(url if "://" in url else f"nats://{url}")
        usable = part.scheme in _SCHEMES and bool(part.hostname) and part.port != 0
    except ValueError:
        usable = False
    if not usable:
        # The URL may hold a password, so the text cannot repeat it.
        raise NatsConfigError(
            "A NATS URL cannot be read; write nats://host:port or tls://host:port, and several "
            "servers as several URLs."
        )
    return part


def _address(part: SplitResult) -> NatsAddress:
    return NatsAddress(part.hostname or "", part.port or _DEFAULT_PORT, part.scheme == "tls")
