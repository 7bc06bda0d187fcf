"""From a secret to bytes that only the asking host can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.errors import OtherError
from domain.model.opaque import opaque
from domain.model.replies import write_secret
from domain.model.transport import Reply

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.secret import Secret
    from ports.key_exchange import KeyExchange


@opaque
class SealReply:
    """Seals each answer with a fresh xkey."""

    key_exchange: KeyExchange

    def reply(self, secret: Secret, host_xkey: PublicXKey, max_bytes: int | None) -> Reply:
        """Build and seal the answer.

        Raises:
            EncryptionFailed: the host's xkey cannot be sealed for.
            OtherError: the sealed answer is larger than the transport carries.
            UpstreamError: the value cannot be written as JSON.
        """
        plain = write_secret(secret)
        # Sealing only adds bytes: what is too large already is refused without its cost.
        if max_bytes is not None and len(plain) > max_bytes:
            raise _too_large(plain, max_bytes)
        sealed, response_xkey = self.key_exchange.seal_with_fresh_key(plain, host_xkey)
        if max_bytes is not None and len(sealed) > max_bytes:
            raise _too_large(sealed, max_bytes)
        return Reply(sealed, response_xkey)


def _too_large(answer: bytes, max_bytes: int) -> OtherError:
    return OtherError(
        f"The answer has {len(answer)} bytes and the transport carries {max_bytes}; store "
        "a smaller secret, or raise the transport's limit.",
        reason="reply_too_large",
    )
