"""From sealed bytes to plain ones: size, header, opening, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.errors import InvalidHeaders, InvalidPayload, OtherError
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from domain.model.audit import ServerKey
    from domain.model.identity import PublicXKey
    from domain.model.transport import Request
    from domain.use_cases.key_ring import KeyRing
    from domain.use_cases.replay_guard import ReplayGuard
    from ports.key_exchange import KeyExchange


@opaque
class OpenRequest:
    """Opens requests with the server's keys."""

    keys: KeyRing
    key_exchange: KeyExchange
    replay_guard: ReplayGuard
    max_request_bytes: int

    def open(self, request: Request) -> tuple[bytes, PublicXKey, ServerKey]:
        """Open one request that only the holder of the host's xkey can have sent, for the first
        time.

        Returns:
            the plaintext, the host's xkey, and which of the server's keys it was sealed for.

        Raises:
            InvalidPayload: the body is empty or too large.
            InvalidHeaders, InvalidXKey: the host's xkey is missing, or is none.
            DecryptionFailed: the body was not sealed by it for this server.
            OtherError: the same body was seen before.
        """
        body = request.body
        if not body or len(body) > self.max_request_bytes:
            raise InvalidPayload(
                f"The body must have 1 to {self.max_request_bytes} bytes; raise MAX_REQUEST_BYTES "
                "if policies are really that large.",
                reason="body_empty" if not body else "body_too_large",
            )
        if request.host_xkey is None:
            raise InvalidHeaders("Send the host's public xkey in the header WasmCloud-Host-Xkey.")
        host_xkey = self.key_exchange.parse_public(request.host_xkey)
        plaintext, server_key = self.keys.open(body, host_xkey)
        if self.replay_guard.is_replay(host_xkey, body, request.received_at):
            raise OtherError(
                "This request was already answered; seal a new one for each try.", reason="replayed"
            )
        return plaintext, host_xkey, server_key
