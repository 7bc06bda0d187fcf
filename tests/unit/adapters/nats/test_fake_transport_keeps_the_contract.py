"""The fakes behave as the real transport does."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from ports.transport import ChannelError
from tests.contracts.transport import TransportContract
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeChannel, FakeTransport


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
        for _ in range(5):  # let tasks that are about to wait begin to
            await asyncio.sleep(0)
        self.fake_clock.advance(seconds)

    async def test_a_broken_channel_says_that_the_connection_is_gone(self) -> None:
        channel = self.channel()
        channel.broken = True

        with pytest.raises(ChannelError) as failure:
            await channel.request("get", b"x", None, 1)
        assert failure.value.reason == "disconnected"
