"""What every key exchange does: run by the fake and by the real adapter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import DecryptionFailed, EncryptionFailed, InvalidXKey

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from ports.key_exchange import KeyExchange

PLAINTEXT = "päss wörd ✓\n{}".encode()
OVERHEAD = 4 + 24 + 16


class KeyExchangeContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods."""

    @abstractmethod
    def exchange(self) -> KeyExchange:
        """Return the key exchange under test; the same one throughout a test."""

    @abstractmethod
    def low_order(self) -> PublicXKey:
        """Return a well-formed public key that nothing can be sealed for."""

    @pytest.mark.parametrize("plaintext", [b"", b"\x00", PLAINTEXT, bytes(range(256)) * 512])
    def test_what_is_sealed_for_a_key_opens_exactly(self, plaintext: bytes) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()

        sealed = host.seal(plaintext, server.public)

        assert server.open(sealed, host.public) == plaintext

    def test_the_sealed_form_is_xkv1_a_nonce_and_the_box(self) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()

        sealed = host.seal(PLAINTEXT, server.public)

        assert sealed.startswith(b"xkv1")
        assert len(sealed) == OVERHEAD + len(PLAINTEXT)
        assert PLAINTEXT not in sealed

    def test_each_sealing_has_a_nonce_of_its_own(self) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()

        sealed = [host.seal(PLAINTEXT, server.public) for _ in range(64)]

        assert len({text[4:28] for text in sealed}) == 64

    def test_a_key_can_seal_for_itself(self) -> None:
        pair = self.exchange().generate()

        assert pair.open(pair.seal(PLAINTEXT, pair.public), pair.public) == PLAINTEXT

    def test_another_key_than_the_recipient_cannot_open(self) -> None:
        host, server, other = (self.exchange().generate() for _ in range(3))
        sealed = host.seal(PLAINTEXT, server.public)

        with pytest.raises(DecryptionFailed):
            other.open(sealed, host.public)

    def test_a_message_does_not_open_under_another_senders_name(self) -> None:
        host, server, other = (self.exchange().generate() for _ in range(3))
        sealed = host.seal(PLAINTEXT, server.public)

        with pytest.raises(DecryptionFailed):
            server.open(sealed, other.public)

    def test_a_change_of_any_byte_is_noticed(self) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()
        sealed = host.seal(b"short", server.public)

        for position in range(len(sealed)):
            damaged = bytearray(sealed)
            damaged[position] ^= 0x20
            with pytest.raises(DecryptionFailed):
                server.open(bytes(damaged), host.public)

    def test_a_message_cut_short_or_made_longer_does_not_open(self) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()
        sealed = host.seal(b"short", server.public)

        for length in range(len(sealed)):
            with pytest.raises(DecryptionFailed):
                server.open(sealed[:length], host.public)
        with pytest.raises(DecryptionFailed):
            server.open(sealed + b"\x00", host.public)

    def test_sealing_for_a_low_order_key_is_refused(self) -> None:
        with pytest.raises(EncryptionFailed):
            self.exchange().generate().seal(PLAINTEXT, self.low_order())

    def test_what_a_fresh_key_sealed_opens_by_its_public_half(self) -> None:
        exchange = self.exchange()
        host = exchange.generate()

        sealed = [exchange.seal_with_fresh_key(PLAINTEXT, host.public) for _ in range(8)]

        assert [host.open(body, public) for body, public in sealed] == [PLAINTEXT] * 8
        assert len({public for _, public in sealed}) == 8
        assert len({body[4:28] for body, _ in sealed}) == 8

    def test_a_fresh_key_does_not_seal_for_a_low_order_key(self) -> None:
        with pytest.raises(EncryptionFailed):
            self.exchange().seal_with_fresh_key(PLAINTEXT, self.low_order())

    def test_nothing_opens_as_sent_by_a_low_order_key(self) -> None:
        host, server = self.exchange().generate(), self.exchange().generate()
        sealed = host.seal(PLAINTEXT, server.public)

        with pytest.raises(DecryptionFailed):
            server.open(sealed, self.low_order())

    def test_a_generated_public_key_is_read_back_as_it_is(self) -> None:
        public = self.exchange().generate().public

        assert self.exchange().parse_public(public) == public
        assert len(public) == 56
        assert public.startswith("X")

    def test_generated_keys_differ(self) -> None:
        assert len({self.exchange().generate().public for _ in range(16)}) == 16

    def test_anything_but_exactly_a_public_xkey_is_an_invalid_xkey(self) -> None:
        public = self.exchange().generate().public
        wrong = [
            "",
            "X",
            "X" * 56,
            public[:-1],
            public + "A",
            public + "\n",
            " " + public,
            public + "=" * 8,
            "A" + public[1:],
            "SX" + public[2:],
            public.lower(),
            public[:20].swapcase() + public[20:-1] + "z",
            "\u00dc" + public[1:],
            "\ud800" * 56,
            public[:30] + ("A" if public[30] != "A" else "B") + public[31:],
        ]

        for text in wrong:
            with pytest.raises(InvalidXKey):
                self.exchange().parse_public(text)

    def test_an_error_holds_neither_the_key_nor_the_message(self) -> None:
        public = self.exchange().generate().public
        with pytest.raises(InvalidXKey) as key_error:
            self.exchange().parse_public(public + "A")
        host, server, other = (self.exchange().generate() for _ in range(3))
        sealed = host.seal(PLAINTEXT, server.public)
        with pytest.raises(DecryptionFailed) as open_error:
            other.open(sealed, host.public)

        for error in (key_error.value, open_error.value):
            assert error.__context__ is None
            assert error.__cause__ is None
            assert public[5:] not in repr(error.args)
            assert repr(sealed[30:]) not in repr(error.args)

    def test_the_repr_shows_the_public_key_only(self) -> None:
        pair = self.exchange().generate()

        assert repr(pair) == f"{type(pair).__name__}({pair.public})"
