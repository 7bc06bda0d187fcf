"""Which secret store answers, and how it is reached."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr
from typing_extensions import override

from adapters.change_notice.webhook_signature import MIN_KEY_LENGTH
from adapters.nats_kv.config import DEFAULT_BUCKET, MAX_HISTORY, MAX_REPLICAS, NatsKvConfig
from bootstrap.settings.group import SettingsGroup
from bootstrap.settings.nats import both_set
from bootstrap.settings.problems import Problem
from bootstrap.settings.values import (
    Choice,
    Folder,
    Folders,
    HttpUrl,
    ReadableFile,
    Seconds,
    SecretText,
    Text,
    Texts,
    XKeySeed,
)

StoreName = Literal["infisical", "nats-kv"]
INFISICAL: Final = "infisical"
NATS_KV: Final = "nats-kv"

_NEEDED_BY_INFISICAL = {
    "infisical_client_id": "the client id of the machine identity's Universal Auth",
    "infisical_project_id": "the project's id, from its settings page",
}


class StoreSettings(SettingsGroup):
    """The choice; only the chosen store's own settings are needed."""

    secret_store: Annotated[StoreName, Choice] = Field(
        default=INFISICAL, description="Where secrets are kept: `infisical` or `nats-kv`."
    )


def _webhook_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < MIN_KEY_LENGTH:
        raise ValueError(
            f"must have at least {MIN_KEY_LENGTH} characters; make one with openssl rand -hex 32."
        )
    return key


class InfisicalSettings(SettingsGroup):
    """Used when SECRET_STORE is infisical."""

    infisical_client_id: Text | None = Field(
        default=None,
        description="Client id of the machine identity (Universal Auth). Required for Infisical.",
    )
    infisical_client_secret: SecretText | None = Field(
        default=None,
        description="Client secret of that identity. This or the file is required for Infisical.",
    )
    infisical_client_secret_file: ReadableFile | None = Field(
        default=None,
        description="File that holds the client secret. It is read anew for each login, so a "
        "changed one is taken up while the service runs.",
    )
    infisical_project_id: Text | None = Field(
        default=None, description="Project to read from. Required for Infisical."
    )
    infisical_base_url: HttpUrl = Field(
        default="https://app.infisical.com", description="Address of the Infisical server."
    )
    infisical_environment: Text = Field(
        default="prod", description="Environment to read from (its slug)."
    )
    infisical_secret_path: Folder = Field(
        default="/", description="Folder that relative keys stand below."
    )
    infisical_ca_file: ReadableFile | None = Field(
        default=None, description="CA certificates (PEM) that Infisical is checked against."
    )
    infisical_connect_timeout_seconds: Seconds = Field(
        default=3.0, description="Time to connect, for each try."
    )
    infisical_read_timeout_seconds: Seconds = Field(
        default=5.0, description="Time to wait for an answer, for each try."
    )
    infisical_webhook_key: Annotated[SecretText, AfterValidator(_webhook_key)] | None = Field(
        default=None,
        description="Secret key of Infisical's webhooks, of 16 characters or more: takes them at "
        "`/webhooks/infisical` of `ADMIN_ADDR`, so that a change is served at once.",
    )
    infisical_max_requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Reads that all workers of this replica together send to Infisical at most, "
        "in any minute. Unset: as many as Infisical's own limit takes.",
    )
    infisical_max_connections: int = Field(
        default=20, ge=1, description="Connections that each process opens to Infisical at most."
    )
    infisical_allowed_environments: Texts = Field(
        default=(),
        description="Environments that a manifest's policy may choose, comma-separated, beside "
        "the configured one.",
    )
    infisical_allowed_projects: Texts = Field(
        default=(), description="Projects that it may choose, beside the configured one."
    )
    infisical_allowed_paths: Folders = Field(
        default=(),
        description="Folders, with all below them, that keys and policies may reach. Unset: the "
        "configured folder.",
    )
    infisical_unresolved_references: Annotated[Literal["error", "allow"], Choice] = Field(
        default="error",
        description="A value in which `${…}` is left unexpanded: `error` refuses it, `allow` "
        "passes it on.",
    )

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, "infisical_client_secret", "infisical_client_secret_file")
        if chosen_store(given) == INFISICAL:
            if not given.keys() & {"infisical_client_secret", "infisical_client_secret_file"}:
                yield Problem(
                    "INFISICAL_CLIENT_SECRET",
                    "is not set: give a client secret of that machine identity, or a file of it in "
                    "INFISICAL_CLIENT_SECRET_FILE, or choose another SECRET_STORE.",
                )
            for name, what in _NEEDED_BY_INFISICAL.items():
                if name not in given:
                    yield Problem(
                        name.upper(), f"is not set: give {what}, or choose another SECRET_STORE."
                    )
            if "infisical_webhook_key" in given and "admin_addr" not in given:
                yield Problem(
                    "ADMIN_ADDR",
                    "must be set as well, because INFISICAL_WEBHOOK_KEY is: webhooks come "
                    "in there.",
                )


def _bucket(name: str) -> str:
    try:
        NatsKvConfig(bucket=name)
    except ValueError:
        pass
    else:
        return name
    raise ValueError('must hold only letters, digits, "_" and "-".')


class NatsKvSettings(SettingsGroup):
    """Used when SECRET_STORE is nats-kv."""

    nats_kv_bucket: Annotated[Text, AfterValidator(_bucket)] = Field(
        default=DEFAULT_BUCKET, description="Bucket that holds the sealed secrets."
    )
    nats_kv_history: int = Field(
        default=MAX_HISTORY,
        ge=1,
        le=MAX_HISTORY,
        description="Versions kept of each secret, should the bucket have to be made.",
    )
    nats_kv_replicas: int = Field(
        default=1,
        ge=1,
        le=MAX_REPLICAS,
        description="Servers that each hold the bucket, should it have to be made.",
    )
    encryption_xkey_seed: XKeySeed | None = Field(
        default=None,
        description="Seed (`SX…`) of the xkey that seals stored secrets. This or the file is "
        "required for NATS KV.",
    )
    encryption_xkey_seed_file: Path | None = Field(
        default=None, description="File that holds that seed; made if it does not exist."
    )

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, "encryption_xkey_seed", "encryption_xkey_seed_file")
        seeds = {"encryption_xkey_seed", "encryption_xkey_seed_file"}
        if chosen_store(given) == NATS_KV and not given.keys() & seeds:
            yield Problem(
                "ENCRYPTION_XKEY_SEED",
                "is not set: give the seed (SX…) that stored secrets are sealed with, or a place "
                "for it in ENCRYPTION_XKEY_SEED_FILE.",
            )


def chosen_store(given: Mapping[str, Any]) -> str:
    """Return the store that raw values choose, whether or not it exists."""
    return str(given.get("secret_store", INFISICAL)).strip().lower()
