"""What every transport and its channel do together: a suite for a plug-in's own tests."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from wasmcloud_secrets.extension import ChannelError
from wasmcloud_secrets.testing.echo_handler import EchoHandler

if TYPE_CHECKING:
    from wasmcloud_secrets.extension import Channel, Clock, Transport

HOST_XKEY = "XAGXWSOVADTHUGVRDGYTFKWGCDCQTHPMMMD77W5VPLEPIEUT6UJEEUQA"
LONG = 10.0


class TransportContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods.

    Attributes:
        short: seconds that the suite waits, or gives as a timeout; to be raised for a transport
            that notices only now and then that it is to stop.
    """

    short = 0.1

    @abstractmethod
    def transport(self, max_in_flight: int = 1000) -> Transport:
        """Return a transport not yet started; a test makes one only."""

    @abstractmethod
    def channel(self) -> Channel:
        """Return a channel to that transport's subjects."""

    @abstractmethod
    def clock(self) -> Clock:
        """Return the clock that both use."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Let that much of the clock's time go by."""

    async def test_operation_header_and_body_arrive_unchanged(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        body = bytes(range(256)) + b"\r\n"

        await self.channel().request("get", body, HOST_XKEY, LONG)

        request = handler.arrived.get_nowait()
        assert (request.operation, request.body, request.host_xkey) == ("get", body, HOST_XKEY)
        await transport.stop(0)

    async def test_a_missing_header_arrives_as_none_and_an_empty_body_as_empty(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)

        await self.channel().request("server_xkey", b"", None, LONG)

        request = handler.arrived.get_nowait()
        assert (request.body, request.host_xkey) == (b"", None)
        await transport.stop(0)

    async def test_body_and_header_of_the_reply_come_back_unchanged(self) -> None:
        transport = self.transport()
        await transport.start(EchoHandler())

        reply = await self.channel().request("get", bytes(range(256)), HOST_XKEY, LONG)

        assert (reply.body, reply.response_xkey) == (b"echo " + bytes(range(256)), HOST_XKEY)
        await transport.stop(0)

    async def test_a_reply_without_the_header_comes_back_without_it(self) -> None:
        transport = self.transport()
        await transport.start(EchoHandler())

        reply = await self.channel().request("get", b"x", None, LONG)

        assert (reply.body, reply.response_xkey) == (b"echo x", None)
        await transport.stop(0)

    @pytest.mark.parametrize("operation", ["put", "GET", "get.more", "a.b.c"])
    async def test_an_operation_nobody_knows_reaches_the_handler(self, operation: str) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)

        await self.channel().request(operation, b"x", None, LONG)

        assert handler.arrived.get_nowait().operation == operation
        await transport.stop(0)

    async def test_the_time_of_arrival_is_the_clocks(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)

        before = self.clock().monotonic()
        await self.channel().request("get", b"x", None, LONG)

        assert before <= handler.arrived.get_nowait().received_at <= self.clock().monotonic()
        await transport.stop(0)

    async def test_a_slow_request_does_not_delay_another(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        slow = asyncio.create_task(self.channel().request("slow", b"1", None, LONG))
        await handler.arrived.get()

        assert (await self.channel().request("get", b"2", None, LONG)).body == b"echo 2"
        assert not slow.done()

        handler.gate.set()
        assert (await slow).body == b"echo 1"
        await transport.stop(0)

    async def test_each_of_many_requests_at_once_gets_its_own_reply(self) -> None:
        transport, channel = self.transport(), self.channel()
        await transport.start(EchoHandler())

        replies = await asyncio.gather(
            *(channel.request("get", b"%d" % number, None, LONG) for number in range(200))
        )

        assert [reply.body for reply in replies] == [b"echo %d" % n for n in range(200)]
        await transport.stop(0)

    async def test_beyond_its_bound_a_request_is_refused_as_overloaded(self) -> None:
        transport, handler = self.transport(max_in_flight=2), EchoHandler()
        await transport.start(handler)
        channel = self.channel()
        taken = [asyncio.create_task(channel.request("slow", b"x", None, LONG)) for _ in range(2)]
        for _ in taken:
            await handler.arrived.get()

        refusal = await channel.request("get", b"x", HOST_XKEY, LONG)

        assert (refusal.body, refusal.response_xkey) == (b"refused as overloaded", None)
        handler.gate.set()
        assert [(await request).body for request in taken] == [b"echo x"] * 2
        assert (await channel.request("get", b"y", None, LONG)).body == b"echo y"
        await transport.stop(0)

    @pytest.mark.parametrize("operation", ["bug", "slow_bug"])
    async def test_a_handler_that_fails_is_answered_by_a_refusal(self, operation: str) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        handler.gate.set()

        reply = await self.channel().request(operation, b"x", HOST_XKEY, LONG)

        assert reply.body.startswith(b"refused as ")
        assert (await self.channel().request("get", b"y", None, LONG)).body == b"echo y"
        await transport.stop(0)

    async def test_a_reply_of_the_largest_size_comes_back_whole(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        await self.channel().request("get", b"x", None, LONG)
        largest = handler.arrived.get_nowait().max_reply_bytes
        body = b"z" * ((largest or 1_000_000) - len(b"echo "))

        reply = await self.channel().request("get", body, HOST_XKEY, LONG)

        assert reply.body == b"echo " + body
        await transport.stop(0)

    async def test_stop_answers_what_was_taken(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        taken = asyncio.create_task(self.channel().request("slow", b"x", None, LONG))
        await handler.arrived.get()

        stopping = asyncio.create_task(transport.stop(LONG))
        await self.pass_time(self.short)
        assert not stopping.done()
        handler.gate.set()

        assert (await taken).body == b"echo x"
        await stopping
        assert handler.refused == []

    async def test_stop_cancels_after_the_grace_period_and_refuses_as_stopping(self) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        taken = asyncio.create_task(self.channel().request("slow", b"x", HOST_XKEY, LONG))
        await handler.arrived.get()

        stopping = asyncio.create_task(transport.stop(self.short / 2))
        await self.pass_time(self.short)
        await stopping

        reply = await taken
        assert (reply.body, reply.response_xkey) == (b"refused as stopping", None)
        assert [reason for _, reason in handler.refused] == ["stopping"]

    async def test_a_stopped_transport_takes_nothing_more(self) -> None:
        transport = self.transport()
        await transport.start(EchoHandler())
        await transport.stop(0)
        await transport.stop(0)

        with pytest.raises(ChannelError) as failure:
            await self.channel().request("get", b"x", None, LONG)
        assert failure.value.reason == "no_responders"

    async def test_stopping_what_never_started_does_nothing(self) -> None:
        await self.transport().stop(LONG)

    async def test_where_nobody_listens_a_request_says_so(self) -> None:
        self.transport()

        with pytest.raises(ChannelError) as failure:
            await self.channel().request("get", b"x", None, LONG)
        assert failure.value.reason == "no_responders"

    async def test_without_a_reply_in_time_a_request_times_out_and_leaves_the_channel_usable(
        self,
    ) -> None:
        transport, handler = self.transport(), EchoHandler()
        await transport.start(handler)
        channel = self.channel()
        late = asyncio.create_task(channel.request("slow", b"x", None, self.short))
        await handler.arrived.get()
        await self.pass_time(self.short)

        with pytest.raises(ChannelError) as failure:
            await late
        assert failure.value.reason == "timeout"

        handler.gate.set()
        assert (await channel.request("get", b"y", None, LONG)).body == b"echo y"
        await transport.stop(LONG)
