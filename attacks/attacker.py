"""One attacker in a process of its own, so that its work slows no honest host of this run down.

`python -m attacks.attacker` reads its orders as JSON from standard input and writes what became of
it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from attacks.bodies import ATTACKS, INBOX
from domain.model.identity import PublicXKey

_BATCHES_A_SECOND = 50
_READY_MADE = 100_000
_READY_MADE_BYTES = 320 * 1024 * 1024
_LAST_REPLIES_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What to send, to whom and for how long."""

    attack: int
    port: int
    user: str
    password: str
    server_xkey: str
    seconds: float


@dataclass
class Result:
    """What an attacker sent and got."""

    sent: int = 0
    sent_bytes: int = 0
    replies: int = 0
    seconds: float = 0.0
    hung_up_on: bool = False


async def attack(orders: Orders) -> Result:
    """Send as fast as the attack's rate says, and count the replies."""
    chosen = ATTACKS[orders.attack]
    wanted = min(_READY_MADE, int(chosen.rate * orders.seconds))
    ready: list[bytes] = []
    size = 0
    for frame in islice(chosen.frames(PublicXKey(orders.server_xkey)), wanted):
        ready.append(frame)
        size += len(frame)
        if size > _READY_MADE_BYTES:
            break
    reader, writer = await asyncio.open_connection("127.0.0.1", orders.port)
    hello: dict[str, Any] = {"verbose": False, "headers": True, "no_responders": False}
    hello |= {"user": orders.user, "pass": orders.password}
    writer.write(f"CONNECT {json.dumps(hello)}\r\nSUB {INBOX}.> 1\r\n".encode())
    result = Result()
    reading = asyncio.create_task(_count(reader, writer, result))
    started = time.perf_counter()
    batch = max(1, chosen.rate // _BATCHES_A_SECOND)
    # What is ready is sent once: a body sent twice is a replay, which is refused early.
    for position in range(0, len(ready), batch):
        frames = ready[position : position + batch]
        try:
            writer.write(b"".join(frames))
            await writer.drain()
        except OSError:
            result.hung_up_on = True
            break
        result.sent += len(frames)
        result.sent_bytes += sum(map(len, frames))
        due = started + result.sent / chosen.rate
        now = time.perf_counter()
        if now - started > orders.seconds:
            break
        await asyncio.sleep(max(0.0, due - now))
    result.seconds = time.perf_counter() - started
    await asyncio.wait({reading}, timeout=_LAST_REPLIES_SECONDS)
    result.hung_up_on |= reading.done()
    reading.cancel()
    writer.close()
    return result


async def _count(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, result: Result
) -> None:
    """Count replies until the server hangs up, by the lines that announce them."""
    mark = b"MSG " + INBOX.encode()
    rest = b""
    while chunk := await reader.read(256 * 1024):
        data = rest + chunk
        result.replies += data.count(mark)
        if b"PING\r\n" in data:
            writer.write(b"PONG\r\n")
        rest = data[-(len(mark) - 1) :]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(asyncio.run(attack(Orders(**json.load(sys.stdin)))))))
