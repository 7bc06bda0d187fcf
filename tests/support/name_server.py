"""A name server on loopback whose answers can be changed, and that can fall silent."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Final, Self

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD: Final = struct.Struct("!6H")
_A, _IN = 1, 1
_ANSWERS: Final = 0x8180
"""A response, recursion desired and available, no error."""

_NO_SUCH_NAME: Final = 0x8183


class NameServer(asyncio.DatagramProtocol):
    """Answers queries for A records by UDP (RFC 1035).

    Attributes:
        addresses: the IPv4 addresses of each name; other names do not exist.
        silent: whether queries are left unanswered.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]], port: int = 53) -> None:
        self.addresses = dict(addresses)
        self.silent = False
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", self._port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.silent and self._transport is not None:
            self._transport.sendto(self.answer(data), addr)

    def answer(self, query: bytes) -> bytes:
        """Return the response to one query."""
        number, *_ = _HEAD.unpack_from(query)
        labels, position = [], _HEAD.size
        while length := query[position]:
            labels.append(query[position + 1 : position + 1 + length].decode("ascii"))
            position += 1 + length
        question = query[_HEAD.size : position + 5]
        (kind,) = struct.unpack_from("!H", query, position + 1)
        addresses = self.addresses.get(".".join(labels).lower())
        if addresses is None:
            return _HEAD.pack(number, _NO_SUCH_NAME, 1, 0, 0, 0) + question
        found = addresses if kind == _A else ()
        # The name is a pointer to the question; nothing is to be kept.
        records = [
            struct.pack("!HHHIH4B", 0xC00C, _A, _IN, 0, 4, *map(int, address.split(".")))
            for address in found
        ]
        return _HEAD.pack(number, _ANSWERS, 1, len(records), 0, 0) + question + b"".join(records)
