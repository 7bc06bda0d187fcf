"""The fakes behave as the real transport does."""

from __future__ import annotations

import pytest
from typing_extensions import override

from ports.transport import ChannelError
from tests.contracts.transport import TransportContract
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeChannel, FakeTransport
from tests.support.settling import settle


class TestFakeTransport(TransportContract):
    @pytest.fixture(autouse=True)
    def fakes(self) -> None:
        self.fake_clock = FakeClock()
        self.fake_transport = FakeTransport(self.fake_clock)

    @override
    def transport(self, max_in_flight: int = 1000) -> FakeTransport:
        self.fake_transport.max_in_flight = max_in_flight
        return self.fake_transport

    @override
    def channel(self) -> FakeChannel:
        return FakeChannel(self.fake_transport)

    @override
    def clock(self) -> FakeClock:
        return self.fake_clock

    @override
    async def pass_time(self, seconds: float) -> None:
        await settle()
        self.fake_clock.advance(seconds)

    async def test_a_broken_channel_says_that_the_connection_is_gone(self) -> None:
        channel = self.channel()
        channel.broken = True

        with pytest.raises(ChannelError) as failure:
            await channel.request("get", b"x", None, 1)
        assert failure.value.reason == "disconnected"
