"""The whole core with real cryptography and real logs, and judges for whatever comes out of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.token_verifier import WascapTokenVerifier
from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.fault_log import StructlogFaultLog
from domain.model.access import AccessPolicy, TrustedIssuers
from domain.model.errors import RequestError
from domain.model.identity import AccountKey
from domain.model.replies import read_error, read_secret
from domain.model.secret import Secret
from domain.model.transport import Operation, Reply, Request, Requester
from domain.use_cases.answer_request import AnswerRequest
from domain.use_cases.authenticate_caller import AuthenticateCaller
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.key_ring import KeyRing
from domain.use_cases.open_request import OpenRequest
from domain.use_cases.replay_guard import ReplayGuard
from domain.use_cases.seal_reply import SealReply
from tests.fakes.clock import FakeClock
from tests.fakes.request_ids import FakeRequestIds
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from ports.clock import Clock

VALUE: Final = "canary-value-5f1d"
"""Stored under every key; it may leave sealed, and in no other way."""

INPUT: Final = "canary-input-9ab3"
"""Put into input that no log has any business with."""

TEAM = SigningKey(KeyKind.ACCOUNT, b"t" * 32)
STRANGER = SigningKey(KeyKind.ACCOUNT, b"s" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
PROVIDER = SigningKey(KeyKind.PROVIDER, b"v" * 32).public
HOST = SigningKey(KeyKind.HOST, b"n" * 32).public
ISSUED_AT = 1_700_000_000
MAX_REQUEST_BYTES = 16_384

Answer = Secret | RequestError


def token(subject: str = COMPONENT, issuer: SigningKey = TEAM, **claims: Any) -> str:
    """Sign a token; `claims` are `sign_token`'s."""
    arguments = {"token_id": "attack", "issued_at": ISSUED_AT, **claims}
    return sign_token(issuer, subject, **arguments)


ENTITY_TOKEN = token()
HOST_TOKEN = token(HOST, STRANGER)

IDENTIFIERS = frozenset(
    {
        "application", "entity_hash", "entity_name", "entity_tags", "field", "host_name", "key",
        "operation", "path", "properties", "requester_account", "requester_user", "token_id",
        "version_asked",
    }
)  # fmt: skip
"""The fields of an audit record that repeat, cut, what a readable request or token says."""


class LogText(io.StringIO):
    """What was logged since it was last looked at."""

    def take(self) -> list[str]:
        """Return the new lines and forget them."""
        lines = self.getvalue().splitlines()
        self.seek(0)
        self.truncate()
        return lines


def message(key: Any = "KEY", **changes: Any) -> dict[str, Any]:
    """Return a request that is in order; `entity_jwt`, `host_jwt` and `application` go inside."""
    context = {"entity_jwt": ENTITY_TOKEN, "host_jwt": HOST_TOKEN}
    inside = {name: changes.pop(name) for name in (*context, "application") if name in changes}
    return {"key": key, "field": None, "version": None, **changes, "context": {**context, **inside}}


@dataclass
class DefendedCore:
    """The use case as the service runs it, on a store in memory.

    Every method that sends also judges: one well-formed reply, one audit record, and nothing in
    either that must not be there.
    """

    log: LogText
    access: AccessPolicy = field(
        default_factory=lambda: TrustedIssuers(frozenset({AccountKey(TEAM.public)}))
    )
    clock: Clock = field(default_factory=FakeClock)
    store: FakeSecretStore = field(default_factory=lambda: FakeSecretStore(("prod", "dev")))
    replay_guard: ReplayGuard = field(default_factory=lambda: ReplayGuard(300))
    server: SodiumXKeyPair = field(default_factory=SodiumXKeyPair.generate)
    retired: SodiumXKeyPair = field(default_factory=SodiumXKeyPair.generate)

    def __post_init__(self) -> None:
        self.key_exchange = SodiumKeyExchange()
        self.secrets = {VALUE, self.server.seed_text(), self.retired.seed_text()}
        for path in ("/KEY", "/payments/API_KEY"):
            self.store.put(path, VALUE)
        self.answer = AnswerRequest(
            open_request=OpenRequest(
                KeyRing(self.server, (self.retired,)),
                self.key_exchange,
                self.replay_guard,
                MAX_REQUEST_BYTES,
            ),
            authenticate=AuthenticateCaller(WascapTokenVerifier(), self.clock, leeway_seconds=5),
            authorize=AuthorizeAccess(self.access, self.store, self.clock, "infisical"),
            fetch=FetchSecret(self.store, self.clock),
            seal=SealReply(self.key_exchange),
            clock=self.clock,
            audit=AuditLog(),
            faults=StructlogFaultLog(),
            request_ids=FakeRequestIds(),
            timeout_seconds=8,
        )
        self.record: dict[str, Any] = {}

    @property
    def fetches(self) -> int:
        """How often the store was asked for a value."""
        return len(self.store.queries)

    async def handle(
        self,
        body: bytes,
        host_xkey: str | None,
        *,
        operation: str = Operation.GET,
        requester: Requester | None = None,
        max_reply: int | None = None,
    ) -> Reply:
        """Send anything at all, and judge what was logged about it."""
        request = Request(operation, body, host_xkey, self.clock.monotonic(), max_reply, requester)
        reply = await self.answer.handle(request)
        self.record = judged_record(self.log.take(), self.secrets)
        assert VALUE.encode() not in reply.body
        assert max_reply is None or reply.response_xkey is None or len(reply.body) <= max_reply
        return reply

    async def refused(self, body: bytes, host_xkey: str | None, **request: Any) -> RequestError:
        """Send what cannot be answered with a secret, and return the typed error."""
        reply = await self.handle(body, host_xkey, **request)
        assert reply.response_xkey is None
        return read_error(reply.body)

    async def ask(
        self,
        document: dict[str, Any] | bytes,
        *,
        one_time: SodiumXKeyPair | None = None,
        sealed_for: SodiumXKeyPair | None = None,
        **request: Any,
    ) -> Answer:
        """Seal a request as a host does, send it, and open the answer as a host does."""
        plaintext = document if isinstance(document, bytes) else json.dumps(document).encode()
        pair = one_time or SodiumXKeyPair.generate()
        sealed = pair.seal(plaintext, (sealed_for or self.server).public)
        return self.opened(await self.handle(sealed, pair.public, **request), pair)

    def opened(self, reply: Reply, one_time: SodiumXKeyPair) -> Answer:
        """Read a reply as wasmCloud's client does: by the presence of the header."""
        if reply.response_xkey is None:
            return read_error(reply.body)
        sender = self.key_exchange.parse_public(reply.response_xkey)
        return read_secret(one_time.open(reply.body, sender))


def judged_record(lines: list[str], secrets: set[str]) -> dict[str, Any]:
    """Return the one audit record, if the log holds that and nothing that must not be there."""
    assert len(lines) == 1, [json.loads(line).get("event") for line in lines]
    (line,) = lines
    assert line.isascii()
    assert not any(secret in line for secret in secrets)
    record: dict[str, Any] = json.loads(line)
    assert record["event"] == "secret_request"
    assert record["outcome"] in {"answered", "refused"}
    elsewhere = {name: value for name, value in record.items() if name not in IDENTIFIERS}
    assert INPUT not in json.dumps(elsewhere)
    return record
