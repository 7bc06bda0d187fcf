"""Asking as a wasmCloud host does: the channel, and who a command asks as."""

from __future__ import annotations

import re
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.crypto.control_messages import ControlCodec
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.wascap_claims import IDENTITY_KINDS
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.channel import NatsChannel
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from bootstrap.cli.nats_session import open_nats, unless_denied
from bootstrap.cli.reporting import CommandError, NotPermittedError, read_seed, read_text
from bootstrap.plugin_contexts import ServiceTransportContext
from bootstrap.server_keys import control_keys
from bootstrap.settings import load_settings
from bootstrap.settings.chosen import ChosenTransport
from bootstrap.settings.plugins import Registry
from bootstrap.settings.service import ChoiceSettings
from domain.model.messages import Application, RequestContext
from domain.model.transport import HOST_TIMEOUT_SECONDS
from domain.use_cases.key_ring import KeyRing
from ports.transport import Channel
from ports.transport_plugin import TransportFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from domain.model.transport import Reply
    from ports.clock import Clock

NATS: Final = "nats"
_MAX_REQUEST_BYTES = 1024 * 1024

_VIOLATION = re.compile(r"""(?i)violation for (publish|subscription) to ["']([^"']+)["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySource:
    """Where the entity's token comes from; what is not given is made up.

    Attributes:
        token_file: a finished token, as in a signed artifact.
        entity_seed_file: the seed of the component or provider (SM…, SV…).
        issuer_seed_file: the seed of the account that signs for it (SA…).
    """

    token_file: Path | None = None
    entity_seed_file: Path | None = None
    issuer_seed_file: Path | None = None

    def context(self, application: Application, clock: Clock) -> RequestContext:
        """Return what a host would send along.

        Raises:
            CommandError: files contradict each other or cannot be read.
            InvalidNKeyError: a seed is not of the kind needed.
        """
        # A wasmCloud host signs its own token with a random account at each start.
        host = _sign(SigningKey.generate(KeyKind.ACCOUNT), _public(KeyKind.HOST), clock)
        return RequestContext(
            entity_jwt=self._entity_token(clock), host_jwt=host, application=application
        )

    def _entity_token(self, clock: Clock) -> str:
        if self.token_file is not None:
            if self.entity_seed_file or self.issuer_seed_file:
                raise CommandError("Give the entity's token, or seeds to sign one with, not both.")
            return read_text(self.token_file, "the entity's token")
        subject = _public(KeyKind.COMPONENT)
        if self.entity_seed_file is not None:
            entity = SigningKey.from_seed(read_seed(self.entity_seed_file, "the entity's seed"))
            if entity.kind not in IDENTITY_KINDS:
                raise CommandError(
                    "The entity's seed must be a component's or provider's (SM, SV)."
                )
            subject = entity.public
        issuer = SigningKey.generate(KeyKind.ACCOUNT)
        if self.issuer_seed_file is not None:
            issuer = SigningKey.from_seed(
                read_seed(self.issuer_seed_file, "the issuer's seed"), KeyKind.ACCOUNT
            )
        return _sign(issuer, subject, clock)


def _public(kind: KeyKind) -> str:
    return SigningKey.generate(kind).public


def _sign(issuer: SigningKey, subject: str, clock: Clock) -> str:
    return sign_token(
        issuer,
        subject,
        token_id=str(uuid.uuid4()),
        issued_at=int(clock.now()),
        metadata={"name": "wasmcloud-secrets request"},
    )


class HostChannel(Channel):
    """Asks through another channel, and gives up as soon as the server denies a subject."""

    def __init__(self, channel: Channel, denied: Callable[[], str | None]) -> None:
        self._channel = channel
        self._denied = denied

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        """Send and wait.

        Raises:
            ChannelError: no reply came.
            NotPermittedError: this NATS user may not ask, or not hear the reply.
        """
        asking = self._channel.request(operation, body, host_xkey, timeout_seconds)
        return await unless_denied(asking, self._denied, not_permitted)


def not_permitted(denial: str) -> NotPermittedError:
    """Return what to do about a server's "permissions violation"."""
    found = _VIOLATION.search(denial)
    what = "may not do what this command must"
    if found is not None:
        verb = "publish" if found[1].lower() == "publish" else "subscribe"
        what = f"has no permission to {verb} to {found[2]}"
    return NotPermittedError(
        f"This NATS user {what}. This command asks as a wasmCloud host does: log in as a host, by "
        "NATS_USER and NATS_PASSWORD or as docs/operations.md lists; neither the backend's user "
        "nor the operator's may ask, see docs/nats-accounts.md."
    )


@asynccontextmanager
async def host_channel() -> AsyncIterator[Channel]:
    """Connect for the length of a command; of the settings only the transport's are read.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
        CommandError: another transport cannot be opened, or has no host's end.
    """
    choice = load_settings(ChoiceSettings)
    if choice.transport != NATS:
        async with _channel_of(choice) as channel:
            yield channel
        return
    settings = load_settings(NatsSettings)
    subjects = SecretsSubjects(settings.subject_prefix, settings.api_version, choice.backend)
    async with open_nats() as client:
        yield HostChannel(NatsChannel(client, subjects), lambda: client.denied)


@asynccontextmanager
async def _channel_of(choice: ChoiceSettings) -> AsyncIterator[Channel]:
    """Open the host's end of a transport that is a plug-in of another distribution."""
    plugin = Registry().transport(choice.transport)
    clock = SystemClock()
    # Nothing is told to other processes, so that any key will do.
    keys = control_keys(KeyRing(SodiumXKeyPair.generate()))
    parts = ChosenTransport(plugin, load_settings(plugin.settings)).build(
        ServiceTransportContext(
            clock=clock,
            backend=choice.backend,
            max_in_flight=1,
            max_request_bytes=_MAX_REQUEST_BYTES,
            request_timeout_seconds=HOST_TIMEOUT_SECONDS,
            worker=0,
            workers=1,
            peer_messages=ControlCodec(keys, clock),
        )
    )
    if parts.channel is None:
        raise CommandError(f"{plugin.title} has no host's end for commands; ask by its own tools.")
    try:
        await parts.open()
    except TransportFailedError as error:
        raise CommandError(str(error)) from None
    try:
        yield parts.channel
    finally:
        await parts.close()
