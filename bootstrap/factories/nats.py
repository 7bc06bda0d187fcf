"""NATS: how it is reached, what is listened on, and the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.nats.config import NatsConfig
from adapters.nats.subjects import NatsConfigError, SecretsSubjects
from adapters.nats.transport import NatsTransport
from bootstrap.settings import Problem, SettingsError
from bootstrap.version import __version__

if TYPE_CHECKING:
    from adapters.nats.client import SteadyClient
    from adapters.nats.connection import NatsConnection
    from bootstrap.settings import NatsSettings, Settings
    from ports.clock import Clock

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
            inbox_prefix=settings.nats_inbox_prefix,
            jetstream_prefix=settings.nats_jetstream_prefix,
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
    return NatsTransport(
        client,
        served,
        clock,
        max_in_flight=settings.max_in_flight,
        vouches_for_requesters=settings.nats_requester_required,
    )
