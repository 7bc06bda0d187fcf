"""Values sealed while they lie in memory, so that a dump of it shows none by itself."""

from __future__ import annotations

from typing import NoReturn, final

from nacl import bindings
from nacl.utils import random
from typing_extensions import override

from adapters.crypto.sodium import open_secret_box
from domain.model.opaque import opaque
from domain.model.secret import SecretValue


@opaque
class SealedValue:
    """A libsodium crypto_secretbox, whose length tells that of the value, and what is in it."""

    nonce: bytes
    box: bytes
    is_text: bool

    def __len__(self) -> int:
        return len(self.nonce) + len(self.box)


@final
class ValueSealer:
    """Seals with a random key of its own that nothing outside ever sees.

    The key lies in the same memory: this keeps values out of swap files, core dumps and heap
    listings that are searched for text, not from a reader of the whole process.
    """

    __slots__ = ("__key",)

    def __init__(self) -> None:
        self.__key = random(bindings.crypto_secretbox_KEYBYTES)

    def seal(self, value: SecretValue) -> SealedValue:
        """Seal a value under a fresh nonce."""
        payload = value.reveal()
        # Broken Unicode must come back as it was, for the core to refuse as it always does.
        is_text = isinstance(payload, str)
        plain = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
        nonce = random(bindings.crypto_secretbox_NONCEBYTES)
        return SealedValue(nonce, bindings.crypto_secretbox(plain, nonce, self.__key), is_text)

    def open(self, sealed: SealedValue) -> SecretValue:
        """Return what was sealed with this key.

        Raises:
            nacl.exceptions.CryptoError: memory was damaged, or another sealer sealed it.
        """
        plain = open_secret_box(sealed.box, sealed.nonce, self.__key)
        return SecretValue(plain.decode("utf-8", "surrogatepass") if sealed.is_text else plain)

    @override
    def __repr__(self) -> str:
        return "ValueSealer(<hidden>)"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealer's key cannot be pickled or copied; make another sealer")
