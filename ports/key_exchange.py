"""X25519 key pairs ("xkeys") that seal for a recipient and open from a sender."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey


class XKeyPair(Protocol):
    """One key pair; the secret half never leaves it. Its repr shows the public key only."""

    @property
    @abstractmethod
    def public(self) -> PublicXKey:
        """The public key in nkeys text form."""

    @abstractmethod
    def seal(self, plaintext: bytes, recipient: PublicXKey) -> bytes:
        """Encrypt for `recipient` and authenticate as this key. Returns `xkv1`, a fresh 24-byte
        nonce, then the libsodium crypto_box.

        Raises:
            EncryptionFailed: the recipient's key cannot be used (a low-order point).
        """

    @abstractmethod
    def open(self, sealed: bytes, sender: PublicXKey) -> bytes:
        """Decrypt what `sender` sealed for this key.

        Raises:
            DecryptionFailed: not sealed by `sender` for this key, damaged, or not in that form.
        """


class KeyExchange(Protocol):
    """Makes and reads xkeys."""

    @abstractmethod
    def generate(self) -> XKeyPair:
        """Draw a fresh key pair."""

    @abstractmethod
    def seal_with_fresh_key(
        self, plaintext: bytes, recipient: PublicXKey
    ) -> tuple[bytes, PublicXKey]:
        """Seal, as `XKeyPair.seal` does, by a key pair that is drawn for this and not kept.

        Returns:
            the sealed bytes, and the public half.

        Raises:
            EncryptionFailed: the recipient's key cannot be used (a low-order point).
        """

    @abstractmethod
    def parse_public(self, text: str) -> PublicXKey:
        """Check that `text` is a public xkey.

        Raises:
            InvalidXKey: it is anything else: another kind, a seed, a broken checksum, odd casing.
        """
