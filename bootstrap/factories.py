"""How each part of the service is built. None does any I/O beyond reading CA files.

The container only names these; they are plain functions so that mypy sees every argument.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.infisical.check import InfisicalCheck
from adapters.infisical.client import InfisicalApi
from adapters.infisical.config import InfisicalConfig
from adapters.infisical.exchange import build_client
from adapters.infisical.store import InfisicalSecretStore
from adapters.nats.config import NatsConfig
from adapters.nats.subjects import NatsConfigError, SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.config import NatsKvConfig
from adapters.nats_kv.store import NatsKvSecretStore
from bootstrap.lifecycle import Service
from bootstrap.settings import Problem, SettingsError
from bootstrap.store_parts import StoreParts
from bootstrap.version import __version__
from domain.model.access import AccessPolicy, AnyValidEntity, TrustedIssuers
from domain.model.identity import AccountKey
from domain.use_cases.answer_request import AnswerRequest
from domain.use_cases.authenticate_caller import AuthenticateCaller
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.open_request import OpenRequest
from domain.use_cases.replay_guard import ReplayGuard
from domain.use_cases.seal_reply import SealReply

if TYPE_CHECKING:
    from adapters.nats.client import SteadyClient
    from adapters.nats.connection import NatsConnection
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import NatsSettings, Settings
    from bootstrap.settings.stores import NatsKvSettings
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.fault_log import FaultLog
    from ports.key_exchange import KeyExchange
    from ports.request_ids import RequestIds
    from ports.token_verifier import TokenVerifier
    from ports.transport import Channel, RequestHandler, Transport

CLIENT_NAME = f"wasmcloud-secrets/{__version__}"


def nats_config(settings: NatsSettings) -> NatsConfig:
    """Read how to connect.

    Raises:
        SettingsError: the settings contradict each other.
    """
    try:
        return NatsConfig(
            urls=settings.nats_url,
            credentials_file=settings.nats_credentials_file,
            nkey_seed=settings.nats_nkey_seed,
            nkey_seed_file=settings.nats_nkey_seed_file,
            user_jwt=settings.nats_user_jwt,
            user=settings.nats_user,
            password=settings.nats_password,
            token=settings.nats_token,
            tls_ca_file=settings.nats_tls_ca_file,
            tls_cert_file=settings.nats_tls_cert_file,
            tls_key_file=settings.nats_tls_key_file,
            tls_handshake_first=settings.nats_tls_first,
            client_name=CLIENT_NAME,
        )
    except NatsConfigError as error:
        problem = Problem("NATS_URL", f"and the settings beside it do not fit together. {error}")
    raise SettingsError(problem)


def subjects(settings: NatsSettings) -> SecretsSubjects:
    """Name what is listened on."""
    return SecretsSubjects(
        settings.nats_subject_prefix, settings.api_version, settings.backend_name
    )


def nats_client(connection: NatsConnection) -> SteadyClient:
    """Return the connection's client; it exists before the connection is opened."""
    return connection.client


def nats_transport(
    client: SteadyClient, served: SecretsSubjects, clock: Clock, settings: Settings
) -> NatsTransport:
    """Build the way in."""
    return NatsTransport(client, served, clock, max_in_flight=settings.max_in_flight)


def infisical_store(settings: Settings, clock: Clock) -> StoreParts:
    """Build the Infisical store.

    Raises:
        SettingsError: a setting cannot work.
    """
    try:
        config = InfisicalConfig(
            client_id=SecretStr(settings.infisical_client_id or ""),
            client_secret=settings.infisical_client_secret or SecretStr(""),
            project_id=settings.infisical_project_id or "",
            base_url=settings.infisical_base_url,
            environment=settings.infisical_environment,
            secret_path=settings.infisical_secret_path,
            allowed_environments=settings.infisical_allowed_environments,
            allowed_projects=settings.infisical_allowed_projects,
            allowed_paths=settings.infisical_allowed_paths,
            ca_file=settings.infisical_ca_file,
            connect_timeout_seconds=settings.infisical_connect_timeout_seconds,
            read_timeout_seconds=settings.infisical_read_timeout_seconds,
            unresolved_references=settings.infisical_unresolved_references,
            user_agent=CLIENT_NAME,
        )
        http = build_client(config)
    except OSError:
        problem = Problem("INFISICAL_CA_FILE", "must name certificates in PEM form.")
    except ValueError as error:
        setting, _, advice = str(error).partition(" ")
        problem = Problem(setting, advice)
    else:
        api = InfisicalApi(config, http, clock, random.SystemRandom().random)
        store = InfisicalSecretStore(config, api, clock)
        return StoreParts(store, InfisicalCheck(config, api, clock), store.aclose)
    raise SettingsError(problem)


def nats_kv_config(settings: NatsKvSettings) -> NatsKvConfig:
    """Name the bucket and its shape."""
    return NatsKvConfig(
        bucket=settings.nats_kv_bucket,
        history=settings.nats_kv_history,
        replicas=settings.nats_kv_replicas,
    )


def nats_kv_store(
    settings: Settings, client: SteadyClient, keys: ServiceKeys, clock: Clock
) -> StoreParts:
    """Build the NATS KV store, over the connection that requests come by."""
    if keys.encryption is None:
        raise SettingsError(
            Problem("ENCRYPTION_XKEY_SEED", "is not set; the store nats-kv needs it.")
        )
    config = nats_kv_config(settings)
    return StoreParts(
        NatsKvSecretStore(
            client=client, config=config, encryption_xkey=keys.encryption, clock=clock
        ),
        NatsKvCheck(client=client, config=config, encryption_xkey=keys.encryption, clock=clock),
    )


def access_policy(settings: Settings) -> AccessPolicy:
    """Choose the rules: trusted issuers if any are named."""
    if not settings.trusted_issuers:
        return AnyValidEntity()
    return TrustedIssuers(frozenset(AccountKey(key) for key in settings.trusted_issuers))


def answer_request(
    *,
    settings: Settings,
    keys: ServiceKeys,
    parts: StoreParts,
    policy: AccessPolicy,
    key_exchange: KeyExchange,
    tokens: TokenVerifier,
    clock: Clock,
    audit: AuditTrail,
    faults: FaultLog,
    request_ids: RequestIds,
) -> AnswerRequest:
    """Put the core together."""
    return AnswerRequest(
        open_request=OpenRequest(
            keys.server,
            key_exchange,
            ReplayGuard(settings.replay_window_seconds),
            settings.max_request_bytes,
        ),
        authenticate=AuthenticateCaller(tokens, clock, settings.clock_leeway_seconds),
        authorize=AuthorizeAccess(policy, parts.store, clock, settings.backend_name),
        fetch=FetchSecret(parts.store, clock),
        seal=SealReply(key_exchange),
        clock=clock,
        audit=audit,
        faults=faults,
        request_ids=request_ids,
        timeout_seconds=settings.request_timeout_seconds,
    )


def service(
    *,
    settings: Settings,
    keys: ServiceKeys,
    connection: NatsConnection,
    client: SteadyClient,
    channel: Channel,
    transport: Transport,
    handler: RequestHandler,
    parts: StoreParts,
    key_exchange: KeyExchange,
    clock: Clock,
    served: SecretsSubjects,
) -> Service:
    """Put one replica together."""
    return Service(
        settings=settings,
        keys=keys,
        connection=connection,
        client=client,
        channel=channel,
        transport=transport,
        handler=handler,
        parts=parts,
        key_exchange=key_exchange,
        clock=clock,
        subjects=served,
    )
