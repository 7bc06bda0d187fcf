"""The demo in the part of a wasmCloud host, with everything that crosses the wire kept."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.model.replies import read_error
from domain.model.transport import HOST_TIMEOUT_SECONDS, Operation
from domain.use_cases.ask_for_secret import HostClient
from ports.key_exchange import KeyExchange
from ports.transport import Channel

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.secret import Secret
    from domain.model.transport import Reply
    from ports.clock import Clock
    from ports.key_exchange import XKeyPair

COMPONENT_NAME = "checkout"
APPLICATION = "shop"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What crossed the wire for one `get`."""

    sealed_request: bytes
    host_xkey: str | None
    reply: Reply


@dataclass(frozen=True, slots=True)
class Fetched:
    """One secret as a host got it.

    Attributes:
        seconds: from the wish to the opened secret.
        host_pair: the host's one-time key pair; only it opens the reply.
    """

    request: SecretRequest
    secret: Secret
    seconds: float
    exchange: Exchange
    host_pair: XKeyPair


class _Tap(Channel):
    """Passes requests on, and keeps the last one with its reply."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.last: Exchange | None = None

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        self.last = None
        reply = await self._channel.request(operation, body, host_xkey, timeout_seconds)
        self.last = Exchange(body, host_xkey, reply)
        return reply


class _KeepsLastPair(KeyExchange):
    """Makes real key pairs, and keeps the last one."""

    def __init__(self) -> None:
        self._inner = SodiumKeyExchange()
        self.last: XKeyPair = self._inner.generate()

    @override
    def generate(self) -> XKeyPair:
        self.last = self._inner.generate()
        return self.last

    @override
    def parse_public(self, text: str) -> PublicXKey:
        return self._inner.parse_public(text)


class DemoComponent:
    """One component in an application, with the tokens that a host sends along for it.

    Attributes:
        account: the public key of the account that signed it; the one the service trusts.
        token: the component's own, as in a signed artifact.
        tokens: all that were made, true and forged.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tokens: list[str] = []
        self._subject = SigningKey.generate(KeyKind.COMPONENT).public
        # A wasmCloud host signs its own token with a random account at each start.
        self._host_token = self._sign(
            SigningKey.generate(KeyKind.ACCOUNT), SigningKey.generate(KeyKind.HOST).public, "demo"
        )
        issuer = SigningKey.generate(KeyKind.ACCOUNT)
        self.account = issuer.public
        self.token = self._sign(issuer, self._subject, COMPONENT_NAME)

    def wish(
        self,
        key: str,
        *,
        field: str | None = None,
        version: str | None = None,
        token: str | None = None,
    ) -> SecretRequest:
        """Write a request, by default with the component's own token."""
        context = RequestContext(
            entity_jwt=token or self.token,
            host_jwt=self._host_token,
            application=Application(name=APPLICATION, policy=""),
        )
        return SecretRequest(key=key, field=field, version=version, context=context)

    def token_of_a_stranger(self) -> str:
        """Sign for the same component with an account that is not trusted."""
        stranger = SigningKey.generate(KeyKind.ACCOUNT)
        return self._sign(stranger, self._subject, COMPONENT_NAME)

    def forged_token(self) -> str:
        """Return the component's own token with one byte of its claims changed."""
        header, claims, signature = self.token.split(".")
        forged = base64url.decode(claims).replace(
            COMPONENT_NAME.encode(), COMPONENT_NAME.capitalize().encode()
        )
        self.tokens.append(f"{header}.{base64url.encode(forged)}.{signature}")
        return self.tokens[-1]

    def _sign(self, issuer: SigningKey, subject: str, name: str) -> str:
        token = sign_token(
            issuer,
            subject,
            token_id=str(uuid.uuid4()),
            issued_at=int(self._clock.now()),
            metadata={"name": name},
        )
        self.tokens.append(token)
        return token


class DemoHost:
    """Asks the service, by the same client that the command line uses."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._clock = clock
        self._tap = _Tap(channel)
        self._keys = _KeepsLastPair()
        self._client = HostClient(self._tap, self._keys)

    async def server_xkey(self) -> PublicXKey:
        """Ask for the service's public xkey, once."""
        return await self._client.server_xkey()

    async def fetch(self, request: SecretRequest) -> Fetched:
        """Ask for a secret.

        Raises:
            SecretsError: the service's typed refusal.
        """
        started = self._clock.monotonic()
        secret = await self._client.get(request)
        seconds = self._clock.monotonic() - started
        return Fetched(request, secret, seconds, self.last_exchange(), self._keys.last)

    async def repeat(self, exchange: Exchange) -> None:
        """Send a recorded request again, byte for byte.

        Raises:
            SecretsError: the service's typed refusal.
        """
        reply = await self._tap.request(
            Operation.GET, exchange.sealed_request, exchange.host_xkey, HOST_TIMEOUT_SECONDS
        )
        if reply.response_xkey is None:
            raise read_error(reply.body)

    def last_exchange(self) -> Exchange:
        """Return what crossed the wire last."""
        if self._tap.last is None:
            raise RuntimeError("nothing was sent yet, or no reply came")
        return self._tap.last


def shortened(document: bytes) -> str:
    """Lay a message's JSON out over lines, with its long tokens cut."""
    return json.dumps(_cut_tokens(json.loads(document)), indent=1, ensure_ascii=True)


def _cut_tokens(value: object) -> object:
    match value:
        case dict():
            return {name: _cut_tokens(member) for name, member in value.items()}
        case str() if value.startswith("eyJ"):
            return f"{value[:12]}..."
        case _:
            return value
