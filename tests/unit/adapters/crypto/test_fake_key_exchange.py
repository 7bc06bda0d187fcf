"""The fake key exchange honours the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.contracts.key_exchange import KeyExchangeContract
from tests.fakes.key_exchange import FakeKeyExchange

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey


class TestFakeKeyExchange(KeyExchangeContract):
    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.fake = FakeKeyExchange()

    @override
    def exchange(self) -> FakeKeyExchange:
        return self.fake

    @override
    def low_order(self) -> PublicXKey:
        return FakeKeyExchange.LOW_ORDER


def test_two_fakes_give_the_same_keys_and_messages() -> None:
    one, two = FakeKeyExchange(), FakeKeyExchange()
    for fake in (one, two):
        fake.generate()
        fake.generate()

    sealed = [fake.generated[0].seal(b"x", fake.generated[1].public) for fake in (one, two)]

    assert one.generated[0].public == two.generated[0].public
    assert sealed[0] == sealed[1]
    assert FakeKeyExchange(first=9).generate().public != one.generated[0].public
