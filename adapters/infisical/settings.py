"""What the operator decides about Infisical."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, SecretStr
from typing_extensions import override

from adapters.crypto.seed_file import place_problem
from adapters.system.secret_file import Kind, secret_file_problem
from adapters.system.setting_types import (
    Choice,
    Folder,
    Folders,
    HttpUrl,
    ReadableFile,
    Seconds,
    SecretText,
    Text,
    Texts,
)
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.lockout import LockoutConfig
from ports.settings import Problem, SettingsGroup, both_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_REQUIRED: Final = {
    "client_id": "the client id of the machine identity's Universal Auth",
    "project_id": "the project's id, from its settings page",
}
WEBHOOK_PATH: Final = "/webhooks/infisical"
MIN_WEBHOOK_KEY_LENGTH: Final = 16
_CHOOSE_ANOTHER: Final = "or choose another SECRET_STORE."


def _webhook_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < MIN_WEBHOOK_KEY_LENGTH:
        raise ValueError(
            f"must have at least {MIN_WEBHOOK_KEY_LENGTH} characters; make one with "
            "openssl rand -hex 32."
        )
    return key


class InfisicalSettings(SettingsGroup):
    """Used when SECRET_STORE is infisical."""

    prefix: ClassVar[str] = "INFISICAL_"

    client_id: Text | None = Field(
        default=None,
        repr=False,
        description="Client id of the machine identity (Universal Auth). Required for Infisical.",
    )
    client_secret: SecretText | None = Field(
        default=None,
        description="Client secret of that identity. This or the file is required for Infisical.",
    )
    client_secret_file: ReadableFile | None = Field(
        default=None,
        description="File that holds the client secret. It is read again for each login, so a "
        "changed one is taken up while the service runs.",
    )
    project_id: Text | None = Field(
        default=None, description="Project to read from. Required for Infisical."
    )
    base_url: HttpUrl = Field(
        default="https://app.infisical.com", description="Address of the Infisical server."
    )
    organization_slug: Text | None = Field(
        default=None,
        description="Sub-organisation to log in to, where the identity belongs to the root "
        "organisation. Servers of 2026 and later.",
    )
    environment: Text = Field(default="prod", description="Environment to read from (its slug).")
    secret_path: Folder = Field(default="/", description="Folder that relative keys stand below.")
    ca_file: ReadableFile | None = Field(
        default=None, description="CA certificates (PEM) that Infisical is checked against."
    )
    connect_timeout_seconds: Seconds = Field(
        default=3.0, description="Time to connect, for each try."
    )
    read_timeout_seconds: Seconds = Field(
        default=5.0, description="Time to wait for an answer, for each try."
    )
    webhook_key: Annotated[SecretText, AfterValidator(_webhook_key)] | None = Field(
        default=None,
        description="Secret key of Infisical's webhooks, of 16 characters or more: takes them at "
        "`/webhooks/infisical` of `ADMIN_ADDR`, so that a change is served at once.",
    )
    max_requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Reads that all workers of this replica together send to Infisical at most, "
        "in any minute. Unset: as many as the limit in Infisical's answers, if there is one.",
    )
    max_connections: int = Field(
        default=40,
        ge=1,
        description="Connections that each process opens to Infisical at most; one folder uses "
        "half of them.",
    )
    allowed_environments: Texts = Field(
        default=(),
        description="Environments that a manifest's policy may choose, comma-separated, beside "
        "the configured one.",
    )
    allowed_projects: Texts = Field(
        default=(), description="Projects that it may choose, beside the configured one."
    )
    allowed_paths: Folders = Field(
        default=(),
        description="Folders, with all below them, that keys and policies may reach. Unset: the "
        "configured folder.",
    )
    lockout_threshold: int = Field(
        default=3,
        ge=1,
        le=30,
        description="Refused logins in a row that lock the identity, as set in Infisical. The "
        "service keeps below.",
    )
    lockout_reset_seconds: float = Field(
        default=30.0,
        ge=5,
        le=3600,
        description="Time without a refused login that clears Infisical's counter, as set there.",
    )
    lockout_seconds: float = Field(
        default=300.0, ge=30, le=86400, description="How long a lock lasts, as set in Infisical."
    )
    lockout_file: Path | None = Field(
        default=None,
        description="File in which refused logins survive a restart, so that a supervisor which "
        "starts the service again and again does not lock the identity. Its folder must exist.",
    )
    unresolved_references: Annotated[Literal["error", "allow"], Choice] = Field(
        default="error",
        description="A value in which `${…}` is left unexpanded: `error` refuses it, `allow` "
        "passes it on.",
    )

    @property
    def api_root(self) -> str:
        """The URL that every route begins with: `…/api`, without a slash at the end."""
        return self.base_url.rstrip("/").removesuffix("/api").rstrip("/") + "/api"

    def upstream(self, user_agent: str) -> UpstreamConfig:
        """Return how Infisical is reached."""
        return UpstreamConfig(
            name="Infisical",
            code="infisical",
            base_url=self.api_root,
            url_setting="INFISICAL_BASE_URL",
            ca_setting="INFISICAL_CA_FILE",
            ca_file=self.ca_file,
            connect_timeout_seconds=self.connect_timeout_seconds,
            read_timeout_seconds=self.read_timeout_seconds,
            max_connections=self.max_connections,
            user_agent=user_agent,
        )

    @property
    def lockout(self) -> LockoutConfig:
        """How Infisical locks an identity after refused logins."""
        return LockoutConfig(
            self.lockout_threshold, self.lockout_reset_seconds, self.lockout_seconds
        )

    @override
    def unusable(self) -> Iterable[Problem]:
        if (advice := secret_file_problem(self.client_secret_file, Kind.OPAQUE)) is not None:
            yield Problem("INFISICAL_CLIENT_SECRET_FILE", advice)
        if self.lockout_file is not None and (advice := place_problem(self.lockout_file)):
            yield Problem("INFISICAL_LOCKOUT_FILE", advice)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        secrets = ("client_secret", "client_secret_file")
        yield from both_set(given, *secrets, prefix=cls.prefix)
        if not given.keys() & set(secrets):
            yield Problem(
                "INFISICAL_CLIENT_SECRET",
                "is not set: give a client secret of that machine identity, or a file of it in "
                f"INFISICAL_CLIENT_SECRET_FILE, {_CHOOSE_ANOTHER}",
            )
        for name, what in _REQUIRED.items():
            if name not in given:
                yield Problem(
                    cls.prefix + name.upper(), f"is not set: give {what}, {_CHOOSE_ANOTHER}"
                )
