"""The server's xkeys: the one it announces and those it still opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.audit import ServerKey
from domain.model.errors import DecryptionFailed
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from ports.key_exchange import XKeyPair


@opaque
class KeyRing:
    """Hosts keep the announced key for the life of their process, so old ones must go on opening.

    Attributes:
        current: announced to hosts.
        retired: opened, never announced; newest first.
    """

    current: XKeyPair
    retired: tuple[XKeyPair, ...] = ()

    def open(self, sealed: bytes, sender: PublicXKey) -> tuple[bytes, ServerKey]:
        """Open with the current key, then with the retired ones, and tell which it was.

        Raises:
            DecryptionFailed: none of them opens it.
        """
        for pair in (self.current, *self.retired):
            try:
                plaintext = pair.open(sealed, sender)
            except DecryptionFailed:
                continue
            return plaintext, _CURRENT if pair is self.current else _RETIRED
        raise DecryptionFailed(
            "The body opens with no key of this server; restart the host so that it asks for the "
            "server's xkey again, or list the former seed in SERVER_XKEY_RETIRED_SEEDS."
        )


_CURRENT, _RETIRED = ServerKey.CURRENT, ServerKey.RETIRED
