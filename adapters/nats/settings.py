"""How NATS is reached, how this service logs in there, and which subjects it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr
from typing_extensions import override

from adapters.system.setting_types import (
    ApiPrefix,
    NatsServers,
    ReadableFile,
    SecretText,
    SubjectPrefix,
    SubjectToken,
    UserSeed,
)
from ports.settings import Problem, SettingsGroup, both_set, one_without_other

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DEFAULT_PORT = 4222
_SEEDS = ("nkey_seed", "nkey_seed_file")


class NatsAddress(NamedTuple):
    """One server of the cluster, free of credentials: it may be shown anywhere."""

    host: str
    port: int
    tls: bool

    @override
    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'nats'}://{host}:{self.port}"


class NatsLoginSettings(SettingsGroup):
    """How one NATS account is reached.

    At most one way to log in is set: a credentials file, an nkey, user and password, or a token. A
    token may stand beside the first two, for an authentication callout. Credentials inside an
    address count as user and password, or as token, for every server of the cluster.
    """

    prefix: ClassVar[str] = "NATS_"

    urls: NatsServers = Field(repr=False)
    """Servers; each subclass says by which variable, and gives a default if it has one."""

    credentials_file: ReadableFile | None = Field(
        default=None, description="NATS credentials file (`.creds`: user JWT and seed)."
    )
    nkey_seed: UserSeed | None = Field(
        default=None, description="Seed (`SU…`) to log in to NATS with."
    )
    nkey_seed_file: ReadableFile | None = Field(
        default=None, description="File that holds that seed, instead of the seed itself."
    )
    user_jwt: SecretText | None = Field(
        default=None, description="NATS user JWT; needs the user's seed beside it."
    )
    user: str | None = Field(default=None, description="NATS user name.")
    password: SecretStr | None = Field(default=None, description="NATS password.")
    token: SecretText | None = Field(default=None, description="NATS token.")
    tls_ca_file: ReadableFile | None = Field(
        default=None, description="CA certificates (PEM) that NATS servers are checked against."
    )
    tls_cert_file: ReadableFile | None = Field(
        default=None, description="Client certificate (PEM) for NATS."
    )
    tls_key_file: ReadableFile | None = Field(
        default=None, description="Private key (PEM) of that certificate."
    )
    tls_first: bool = Field(
        default=False,
        description="Begin with TLS, before the server's greeting (`handshake_first`).",
    )
    inbox_prefix: SubjectPrefix = Field(
        default="_INBOX",
        description="Where replies to the service's own requests go. One of its own keeps those "
        "who share its NATS account from overhearing them; permit the user that subject.",
    )

    @property
    def addresses(self) -> tuple[NatsAddress, ...]:
        """The servers, without credentials."""
        return tuple(
            NatsAddress(part.hostname or "", part.port or _DEFAULT_PORT, part.scheme == "tls")
            for part in map(urlsplit, self.urls)
        )

    @property
    def insists_on_tls(self) -> bool:
        """Whether a server without TLS is refused, before any credential is sent."""
        return (
            any(address.tls for address in self.addresses)
            or self.tls_first
            or self.tls_ca_file is not None
            or self.tls_cert_file is not None
        )

    @property
    def login(self) -> tuple[str | None, SecretStr | None, SecretStr | None]:
        """User, password and token, whether set by themselves or in an address."""
        for name, secret in _logins_in(map(urlsplit, self.urls)):
            if secret is None:
                return None, None, SecretStr(unquote(name))
            return unquote(name), SecretStr(unquote(secret)), None
        return self.user, self.password, self.token

    @override
    def unusable(self) -> Iterable[Problem]:
        from adapters.nats.credentials import unusable_files  # noqa: PLC0415  commands load less

        return unusable_files(self)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, *_SEEDS, prefix=cls.prefix)
        yield from one_without_other(given, "user", "password", prefix=cls.prefix)
        yield from one_without_other(given, "tls_cert_file", "tls_key_file", prefix=cls.prefix)
        if "user_jwt" in given and not given.keys() & set(_SEEDS):
            yield Problem(
                f"{cls.prefix}USER_JWT",
                f"needs {cls.prefix}NKEY_SEED or {cls.prefix}NKEY_SEED_FILE beside it: the JWT "
                "alone proves nothing to the server.",
            )
        ways = tuple(_ways_to_log_in(given))
        # A token may stand beside a signature: servers with an auth callout take both.
        if len(ways) > 1 and set(ways) not in _TOGETHER:
            yield Problem(
                ", ".join(f"{cls.prefix}{way}" for way in ways),
                "are different ways to log in to NATS; set one and unset the rest.",
            )
        if len(_credentials_in(given)) > 1:
            yield Problem(f"{cls.prefix}URL", "holds different credentials; write the same once.")


class NatsSettings(NatsLoginSettings):
    """The service's own NATS account, and the subjects there."""

    urls: NatsServers = Field(
        default=("nats://localhost:4222",),
        validation_alias="NATS_URL",
        repr=False,  # an address may hold credentials
        description="NATS servers, comma-separated. `tls://` insists on TLS.",
    )
    subject_prefix: SubjectPrefix = Field(
        default="wasmcloud.secrets",
        description="First part of the subjects, as the hosts' `--secrets-topic` names it.",
    )
    api_version: SubjectToken = Field(
        default="v1alpha1",
        validation_alias="API_VERSION",
        description="Version of the protocol in the subjects.",
    )
    jetstream_prefix: ApiPrefix = Field(
        default="$JS.API",
        description="Where JetStream's API is. Another one where a NATS account imports it, as the "
        "operators' of deploy/nats/accounts.conf does, or where JetStream has a domain.",
    )
    requester_required: bool = Field(
        default=False,
        description="Serve only requests whose NATS account the server names, as it does for "
        "imports with `share: true`. Only for a backend alone in its NATS account.",
    )


_TOGETHER = ({"CREDENTIALS_FILE", "TOKEN"}, {"NKEY_SEED", "TOKEN"})


def _ways_to_log_in(given: Mapping[str, Any]) -> Iterator[str]:
    if "credentials_file" in given:
        yield "CREDENTIALS_FILE"
    if given.keys() & {*_SEEDS, "user_jwt"}:
        yield "NKEY_SEED"
    if "@" in str(given.get("urls", "")):
        yield "URL"
    if given.keys() & {"user", "password"}:
        yield "USER"
    if "token" in given:
        yield "TOKEN"


def _credentials_in(given: Mapping[str, Any]) -> set[tuple[str, str | None]]:
    urls = given.get("urls", ())
    texts = urls.split(",") if isinstance(urls, str) else urls
    try:
        return set(_logins_in([urlsplit(str(text).strip()) for text in texts]))
    except ValueError:
        # The field itself is reported.
        return set()


def _logins_in(parts: Iterable[SplitResult]) -> Iterator[tuple[str, str | None]]:
    for part in parts:
        if part.username is not None:
            yield part.username, part.password
