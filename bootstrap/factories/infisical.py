"""The Infisical store."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.infisical.check import InfisicalCheck
from adapters.infisical.client import InfisicalApi
from adapters.infisical.config import InfisicalConfig
from adapters.infisical.credentials import credential_source
from adapters.infisical.exchange import build_client
from adapters.infisical.store import InfisicalSecretStore
from adapters.login_news.broadcast import LoginNews
from adapters.login_news.message import digest_of
from bootstrap.factories.nats import CLIENT_NAME
from bootstrap.settings import Problem, SettingsError
from bootstrap.store_parts import StoreParts

if TYPE_CHECKING:
    from adapters.crypto.control_messages import ControlCodec
    from adapters.nats.client import SteadyClient
    from bootstrap.settings import Settings
    from ports.clock import Clock


def build_infisical(
    settings: Settings, client: SteadyClient, codec: ControlCodec, clock: Clock
) -> StoreParts:
    """Build the Infisical store; over NATS its processes only warn each other.

    Raises:
        SettingsError: a setting cannot work.
    """
    try:
        config = InfisicalConfig(
            client_id=SecretStr(settings.infisical_client_id or ""),
            client_secret=settings.infisical_client_secret,
            client_secret_file=settings.infisical_client_secret_file,
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
            max_requests_per_minute=settings.infisical_max_requests_per_minute,
            max_connections=settings.infisical_max_connections,
            user_agent=CLIENT_NAME,
        )
        http = build_client(config)
    except OSError:
        problem = Problem("INFISICAL_CA_FILE", "must name certificates in PEM form.")
    except ValueError as error:
        setting, _, advice = str(error).partition(" ")
        problem = Problem(setting, advice)
    else:
        news = _login_news(settings, config, client, codec, clock)
        api = InfisicalApi(
            config,
            http,
            clock,
            random.SystemRandom().random,
            credentials=credential_source(config),
            on_refused=news.tell,
        )

        async def close() -> None:
            try:
                await news.aclose()
            finally:
                await store.aclose()

        store = InfisicalSecretStore(config, api, clock)
        return StoreParts(
            store,
            InfisicalCheck(config, api, clock),
            close,
            start=lambda: news.start(api.login_refused_elsewhere),
            reload=api.try_login_again,
            infisical=api,
        )
    raise SettingsError(problem)


def _login_news(
    settings: Settings,
    config: InfisicalConfig,
    client: SteadyClient,
    codec: ControlCodec,
    clock: Clock,
) -> LoginNews:
    subject = f"{settings.nats_subject_prefix}.control.{settings.backend_name}.login_refused"
    identity = digest_of(config.api_root, config.client_id.get_secret_value().strip())
    return LoginNews(client, subject, identity, codec, clock)
