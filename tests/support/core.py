"""The whole core on fakes, and a host beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.model.access import AccessPolicy, AnyValidEntity
from domain.model.identity import IdentityKind, PublicXKey
from domain.model.policy_properties import PROPERTIES_TYPE
from domain.model.replies import read_error, read_secret
from domain.model.transport import Operation, Reply, Request
from domain.use_cases.answer_request import AnswerRequest
from domain.use_cases.authenticate_caller import AuthenticateCaller
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.key_ring import KeyRing
from domain.use_cases.open_request import OpenRequest
from domain.use_cases.replay_guard import ReplayGuard
from domain.use_cases.seal_reply import SealReply
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.fakes.fault_log import FakeFaultLog
from tests.fakes.key_exchange import FakeKeyExchange
from tests.fakes.request_ids import FakeRequestIds
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.token_verifier import FakeTokenVerifier, fake_claims

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent
    from domain.model.errors import RequestError
    from domain.model.secret import Secret
    from ports.key_exchange import XKeyPair
    from ports.secret_store import CachedSecrets

ENTITY, HOST = "entity-token", "host-token"


def policy(**properties: str) -> str:
    """Write the manifest's policy document."""
    return json.dumps({"type": PROPERTIES_TYPE, "properties": properties})


@dataclass
class Core:
    """The use case on fakes; a valid component's and host's token are registered."""

    access: AccessPolicy = field(default_factory=AnyValidEntity)
    hide_missing: bool = False
    max_request_bytes: int = 4096
    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeSecretStore = field(default_factory=FakeSecretStore)
    cache: CachedSecrets | None = None
    audit: FakeAuditTrail = field(default_factory=FakeAuditTrail)
    faults: FakeFaultLog = field(default_factory=FakeFaultLog)
    tokens: FakeTokenVerifier = field(default_factory=FakeTokenVerifier)
    key_exchange: FakeKeyExchange = field(default_factory=FakeKeyExchange)

    def __post_init__(self) -> None:
        self.current, self.retired = self.key_exchange.generate(), self.key_exchange.generate()
        self.host_keys = FakeKeyExchange(first=1000)
        self.tokens.register(ENTITY, fake_claims())
        self.tokens.register(HOST, fake_claims(IdentityKind.HOST))
        keys = KeyRing(self.current, (self.retired,))
        self.answer = AnswerRequest(
            open_request=OpenRequest(
                keys, self.key_exchange, ReplayGuard(300), self.max_request_bytes
            ),
            authenticate=AuthenticateCaller(self.tokens, self.clock, leeway_seconds=5),
            authorize=AuthorizeAccess(
                self.access, self.store, self.clock, "infisical", self.hide_missing
            ),
            fetch=FetchSecret(self.store, self.clock, self.cache),
            seal=SealReply(self.key_exchange),
            clock=self.clock,
            audit=self.audit,
            faults=self.faults,
            request_ids=FakeRequestIds(),
            timeout_seconds=8,
        )

    @property
    def event(self) -> AuditEvent:
        """The one event recorded."""
        (event,) = self.audit.events
        return event

    def request(self, body: bytes, host_xkey: str | None, max_reply: int | None = None) -> Request:
        """Wrap a body as a `get` that arrives now."""
        return Request(Operation.GET, body, host_xkey, self.clock.monotonic(), max_reply)

    async def send(self, body: bytes, host_xkey: str | None, max_reply: int | None = None) -> Reply:
        """Send a raw `get`."""
        return await self.answer.handle(self.request(body, host_xkey, max_reply))

    async def get(
        self,
        key: str = "KEY",
        *,
        field: str | None = None,
        version: str | None = None,
        policy: str = "",
        entity: str = ENTITY,
        host: str = HOST,
        server: PublicXKey | None = None,
        max_reply: int | None = None,
    ) -> Secret | RequestError:
        """Ask as a host would, and return the opened secret or the typed error."""
        message = {
            "key": key,
            "field": field,
            "version": version,
            "context": {
                "entity_jwt": entity,
                "host_jwt": host,
                "application": {"name": "shop", "policy": policy},
            },
        }
        one_time = self.host_keys.generate()
        plain = json.dumps(message, separators=(",", ":")).encode()
        sealed = one_time.seal(plain, server or self.current.public)
        return self.open_reply(await self.send(sealed, one_time.public, max_reply), one_time)

    def open_reply(self, reply: Reply, one_time: XKeyPair) -> Secret | RequestError:
        """Open a reply as wasmCloud's client does: by the header's presence."""
        if reply.response_xkey is None:
            return read_error(reply.body)
        sender = self.key_exchange.parse_public(reply.response_xkey)
        return read_secret(one_time.open(reply.body, sender))
