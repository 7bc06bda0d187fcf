"""A wasmCloud host beside the running service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.use_cases.ask_for_secret import HostClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.model.secret import Secret
    from domain.use_cases.ask_for_secret import HostClient as Client

ISSUED_AT = 1_700_000_000


def new_token(issuer: SigningKey, kind: KeyKind) -> str:
    """Sign a token for a new subject."""
    return sign_token(
        issuer, SigningKey.generate(kind).public, token_id="test", issued_at=ISSUED_AT
    )


def _component() -> str:
    return new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.COMPONENT)


def _host() -> str:
    return new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.HOST)


@dataclass
class Host:
    """Asks for secrets on behalf of one component."""

    client: Client
    channel: NatsChannel
    entity_token: str = field(default_factory=_component)
    host_token: str = field(default_factory=_host)

    async def get(
        self,
        key: str,
        *,
        policy: str = "",
        field: str | None = None,
        version: str | None = None,
        entity_token: str | None = None,
        host_token: str | None = None,
    ) -> Secret:
        """Ask once; the service's typed errors are raised."""
        context = RequestContext(
            entity_jwt=entity_token or self.entity_token,
            host_jwt=host_token or self.host_token,
            application=Application(name="shop", policy=policy),
        )
        return await self.client.get(
            SecretRequest(key=key, field=field, version=version, context=context)
        )


@asynccontextmanager
async def connected_host(
    nats_url: str, subject_prefix: str, backend: str = "infisical"
) -> AsyncIterator[Host]:
    """Connect a host to a backend's subjects below a prefix."""
    async with NatsConnection(NatsSettings(urls=(nats_url,)), SystemClock()) as connection:
        channel = NatsChannel(
            connection.client, SecretsSubjects(prefix=subject_prefix, backend=backend)
        )
        yield Host(HostClient(channel, SodiumKeyExchange()), channel)
