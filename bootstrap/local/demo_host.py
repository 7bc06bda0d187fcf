"""The demo in the part of a wasmCloud host, with everything that crosses the wire kept."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.model.replies import read_error, read_secret
from domain.model.transport import HOST_TIMEOUT_SECONDS, Operation, Reply

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.secret import Secret
    from ports.clock import Clock
    from ports.transport import Channel

COMPONENT_NAME = "checkout"
APPLICATION = "shop"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What crossed the wire for one `get`. `host_xkey`: the host's one-time key."""

    sealed_request: bytes
    host_xkey: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Fetched:
    """One secret as a host got it.

    Attributes:
        opened: what the reply holds, by the host's one-time key; only it opens the reply.
        seconds: from the wish to the opened secret.
    """

    request: SecretRequest
    secret: Secret
    opened: bytes
    seconds: float
    exchange: Exchange


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
    """Asks the service step by step, as `domain.use_cases.ask_for_secret.HostClient` does at once.
    `last_reply`: what came back last.
    """

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._keys = SodiumKeyExchange()
        self._server_xkey: PublicXKey | None = None
        self.last_reply = Reply(b"", None)

    async def server_xkey(self) -> PublicXKey:
        """Ask for the service's public xkey, once."""
        if self._server_xkey is None:
            reply = await self._request(Operation.SERVER_XKEY, b"", None)
            self._server_xkey = self._keys.parse_public(reply.body.decode("ascii"))
        return self._server_xkey

    async def fetch(self, request: SecretRequest) -> Fetched:
        """Ask for a secret.

        Raises:
            SecretsError: the service's typed refusal.
        """
        server, pair = await self.server_xkey(), self._keys.generate()
        started = self._clock.monotonic()
        sealed = pair.seal(request.to_json(), server)
        reply = await self._answered(sealed, pair.public)
        opened = pair.open(reply.body, self._keys.parse_public(reply.response_xkey or ""))
        seconds = self._clock.monotonic() - started
        exchange = Exchange(sealed, pair.public, reply)
        return Fetched(request, read_secret(opened), opened, seconds, exchange)

    async def repeat(self, exchange: Exchange) -> None:
        """Send a recorded request again, byte for byte.

        Raises:
            SecretsError: the service's typed refusal.
        """
        await self._answered(exchange.sealed_request, exchange.host_xkey)

    async def _answered(self, sealed: bytes, host_xkey: str) -> Reply:
        reply = await self._request(Operation.GET, sealed, host_xkey)
        if reply.response_xkey is None:
            raise read_error(reply.body)
        return reply

    async def _request(self, operation: str, body: bytes, host_xkey: str | None) -> Reply:
        self.last_reply = await self._channel.request(
            operation, body, host_xkey, HOST_TIMEOUT_SECONDS
        )
        return self.last_reply


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
