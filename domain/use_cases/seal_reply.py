"""From a secret to bytes that only the asking host can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import OtherError
from domain.model.replies import write_secret
from domain.model.transport import Reply

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.secret import Secret
    from ports.key_exchange import KeyExchange


@dataclass(frozen=True, slots=True)
class SealReply:
    """Seals each answer with a fresh xkey."""

    key_exchange: KeyExchange

    def __call__(self, secret: Secret, host_xkey: PublicXKey, max_bytes: int | None) -> Reply:
        """Build and seal the answer.

        Raises:
            EncryptionFailed: the host's xkey cannot be sealed for.
            OtherError: the sealed answer is larger than the transport carries.
            UpstreamError: the value cannot be written as JSON.
        """
        response_key = self.key_exchange.generate()
        sealed = response_key.seal(write_secret(secret), host_xkey)
        if max_bytes is not None and len(sealed) > max_bytes:
            raise OtherError(
                f"The answer has {len(sealed)} bytes and the transport carries {max_bytes}; raise "
                "max_payload on the NATS servers, or store a smaller secret.",
                reason="reply_too_large",
            )
        return Reply(sealed, response_xkey=response_key.public)
