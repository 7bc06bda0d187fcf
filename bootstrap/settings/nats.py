"""How NATS is reached, and which subjects are served there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field, SecretStr
from typing_extensions import override

from bootstrap.settings.group import SettingsGroup
from bootstrap.settings.problems import Problem
from bootstrap.settings.values import (
    ApiPrefix,
    NatsServers,
    ReadableFile,
    SecretText,
    SubjectPrefix,
    SubjectToken,
    UserSeed,
)


class NatsSettings(SettingsGroup):
    """All that the command line needs to send requests; the service needs more."""

    nats_url: NatsServers = Field(
        default=("nats://localhost:4222",),
        repr=False,  # an address may hold credentials
        description="NATS servers, comma-separated. `tls://` insists on TLS.",
    )
    nats_subject_prefix: SubjectPrefix = Field(
        default="wasmcloud.secrets",
        description="First part of the subjects, as the hosts' `--secrets-topic` names it.",
    )
    backend_name: SubjectToken = Field(
        default="infisical",
        description="Name of this backend: `backend` in the manifests' policies.",
    )
    api_version: SubjectToken = Field(
        default="v1alpha1", description="Version of the protocol in the subjects."
    )
    nats_credentials_file: ReadableFile | None = Field(
        default=None, description="NATS credentials file (`.creds`: user JWT and seed)."
    )
    nats_nkey_seed: UserSeed | None = Field(
        default=None, description="Seed (`SU…`) to log in to NATS with."
    )
    nats_nkey_seed_file: ReadableFile | None = Field(
        default=None, description="File that holds that seed, instead of the seed itself."
    )
    nats_user_jwt: SecretText | None = Field(
        default=None, description="NATS user JWT; needs the user's seed beside it."
    )
    nats_user: str | None = Field(default=None, description="NATS user name.")
    nats_password: SecretStr | None = Field(default=None, description="NATS password.")
    nats_token: SecretText | None = Field(default=None, description="NATS token.")
    nats_tls_ca_file: ReadableFile | None = Field(
        default=None, description="CA certificates (PEM) that NATS servers are checked against."
    )
    nats_tls_cert_file: ReadableFile | None = Field(
        default=None, description="Client certificate (PEM) for NATS."
    )
    nats_tls_key_file: ReadableFile | None = Field(
        default=None, description="Private key (PEM) of that certificate."
    )
    nats_tls_first: bool = Field(
        default=False,
        description="Begin with TLS, before the server's greeting (`handshake_first`).",
    )
    nats_inbox_prefix: SubjectPrefix = Field(
        default="_INBOX",
        description="Where replies to the service's own requests go. One of its own keeps those "
        "who share its NATS account from overhearing them; permit the user that subject.",
    )

    nats_jetstream_prefix: ApiPrefix = Field(
        default="$JS.API",
        description="Where JetStream's API is. Another one where a NATS account imports it, as the "
        "operators' of deploy/nats/accounts.conf does, or where JetStream has a domain.",
    )

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, "nats_nkey_seed", "nats_nkey_seed_file")
        yield from one_without_other(given, "nats_user", "nats_password")
        yield from one_without_other(given, "nats_tls_cert_file", "nats_tls_key_file")
        if "nats_user_jwt" in given and not given.keys() & {
            "nats_nkey_seed",
            "nats_nkey_seed_file",
        }:
            yield Problem(
                "NATS_USER_JWT",
                "needs NATS_NKEY_SEED or NATS_NKEY_SEED_FILE beside it: the JWT alone proves "
                "nothing to the server.",
            )
        ways = tuple(_ways_to_log_in(given))
        # A token may stand beside a signature: servers with an auth callout take both.
        if len(ways) > 1 and set(ways) not in _TOGETHER:
            yield Problem(
                ", ".join(ways), "are different ways to log in to NATS; set one and unset the rest."
            )


_TOGETHER = ({"NATS_CREDENTIALS_FILE", "NATS_TOKEN"}, {"NATS_NKEY_SEED", "NATS_TOKEN"})


def _ways_to_log_in(given: Mapping[str, Any]) -> Iterator[str]:
    if "nats_credentials_file" in given:
        yield "NATS_CREDENTIALS_FILE"
    if given.keys() & {"nats_nkey_seed", "nats_nkey_seed_file", "nats_user_jwt"}:
        yield "NATS_NKEY_SEED"
    if "@" in str(given.get("nats_url", "")):
        yield "NATS_URL"
    if given.keys() & {"nats_user", "nats_password"}:
        yield "NATS_USER"
    if "nats_token" in given:
        yield "NATS_TOKEN"


def both_set(given: Mapping[str, Any], name: str, file_name: str) -> Iterator[Problem]:
    """Report a value given twice: as it is and as a file."""
    if name in given and file_name in given:
        yield Problem(f"{name}, {file_name}".upper(), "are both set; keep one of them.")


def one_without_other(given: Mapping[str, Any], first: str, second: str) -> Iterator[Problem]:
    """Report half of a pair."""
    for present, absent in ((first, second), (second, first)):
        if present in given and absent not in given:
            yield Problem(absent.upper(), f"must be set as well, because {present.upper()} is.")
