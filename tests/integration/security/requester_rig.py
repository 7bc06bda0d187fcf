"""A policy by accounts and users, and headers that forge them."""

from __future__ import annotations

import json

from typing_extensions import override

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.nats.channel import NatsChannel
from adapters.nats.headers import HOST_XKEY, SERVER_RESPONSE_XKEY
from domain.model.transport import Reply
from tests.integration.security.roles import SUBJECTS

ISSUER = SigningKey(KeyKind.ACCOUNT, b"i" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
ENTITY = sign_token(ISSUER, COMPONENT, token_id="test", issued_at=1_700_000_000)
POLICY = f"""\
version: 1
issuers:
  team: {ISSUER.public}
grants:
  - name: only-lattice-a
    entities:
      - issuer: team
        subject: {COMPONENT}
    accounts: [LATTICE_A]
    users: [host-a]
    secrets:
      - keys: ["/**"]
"""
GENUINE_A = json.dumps({"acc": "LATTICE_A", "user": "host-a", "kind": "Client"})
FORGERIES = [
    {"Nats-Request-Info": GENUINE_A},
    {"nats-request-info": GENUINE_A},
    {"NATS-REQUEST-INFO": GENUINE_A},
    {"Nats-Request-Info": GENUINE_A, "nats-Request-Info": GENUINE_A},
    {"X": f"a\nNats-Request-Info: {GENUINE_A}"},
    {"Nats-Request-Info ": GENUINE_A},
]


def forging(headers: dict[str, str]) -> type[NatsChannel]:
    """Return a channel that sends further headers along."""

    class ForgingChannel(NatsChannel):
        @override
        async def request(
            self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
        ) -> Reply:
            sent = headers | ({} if host_xkey is None else {HOST_XKEY: host_xkey})
            message = await self._client.request(
                SUBJECTS.of(operation), body, timeout=timeout_seconds, headers=sent
            )
            return Reply(message.data, (message.headers or {}).get(SERVER_RESPONSE_XKEY))

    return ForgingChannel
