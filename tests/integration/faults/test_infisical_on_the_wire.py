"""Answers that no Infisical gives but something before it might, a kind for each secret at once."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.faults.load import ANSWERED, IN_TIME_SECONDS, kinds, slowest, value_of
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_model import Call

MORE_MEMORY_MIB = 96
JSON = b"content-type: application/json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + JSON


def sized(body: bytes, head: bytes = OK) -> bytes:
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def secret(name: str, value: str = '"v"') -> bytes:
    return b'{"secret":{"secretKey":"%s","version":1,"secretValue":%s}}' % (
        name.encode(),
        value.encode(),
    )


def bomb() -> bytes:
    """Return half a megabyte that unpacks to half a gigabyte, and once more packed."""
    return gzip.compress(gzip.compress(bytes(512 * 1024 * 1024), 1))


def ways(elsewhere: str) -> dict[str, Iterable[bytes]]:
    """Return for each way the pieces that are sent; an endless one ends with the connection."""
    location = f"location: {elsewhere}/api/v4/secrets/KEY\r\n".encode()
    return {
        "drip": itertools.chain([OK + b"content-length: 99\r\n\r\n"], itertools.repeat(b" ")),
        "endless": itertools.chain(
            [OK + b"transfer-encoding: chunked\r\n\r\n"],
            itertools.repeat(b"10000\r\n" + b" " * 65536 + b"\r\n"),
        ),
        "headers": itertools.chain([OK], itertools.repeat(b"x: " + b"y" * 1000 + b"\r\n")),
        "interim": itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "upgrade": [b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"],
        "packed": [sized(bomb(), OK + b"content-encoding: gzip, gzip\r\n")],
        "chunks": [OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n"],
        "short": [OK + b"content-length: 10\r\n\r\n" + secret("KEY")],
        "redirect": [b"HTTP/1.1 302 Found\r\n" + location + b"content-length: 0\r\n\r\n"],
        "empty": [b"HTTP/1.1 204 No Content\r\n\r\n"],
        "latin": [sized(secret("KEY", '"\xe9"').decode().encode("latin-1"))],
        "nested": [sized(b'{"secret":' + b"[" * 500_000)],
        "twice": [sized(secret("KEY", '"v","secretValue":"w"'))],
        "other": [sized(secret("ANOTHER"))],
        "not_http": [b"hello\r\n"],
    }


def most_memory(service: ServiceProcess) -> int:
    """Return the most that the process has used so far, in MiB."""
    status = Path(f"/proc/{service._started.pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


async def test_each_gets_a_typed_reply_in_time_and_neither_memory_nor_the_token_is_lost(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    served: set[str] = set()
    async with InfisicalServer() as elsewhere:
        broken = ways(elsewhere.url)

        async def wire(call: Call, writer: asyncio.StreamWriter) -> bool:
            way = call.query["secretPath"].strip("/")
            served.add(way)
            for piece in broken[way]:
                writer.write(piece)
                await writer.drain()
                if len(piece) < 100:
                    await asyncio.sleep(0.05)
            return True

        # In folders of their own, since none may take all places.
        keys = [f"{way}/KEY" for way in broken]
        for way, key in zip(broken, keys, strict=True):
            infisical.model.put("KEY", value_of(key), folder=f"/{way}")
        async with ServiceProcess(settings, tmp_path) as service:
            before = await hosts.rush(keys), most_memory(service)
            infisical.wire = wire
            during = await hosts.rush(keys)
            infisical.wire = None
            healed_after = await hosts.until_answered(keys[0])
            after = await hosts.rush(keys)
            memory = most_memory(service)
            assert await service.stop() == 0

    assert kinds(before[0]) == {ANSWERED: len(keys)}
    assert served == set(broken)
    assert kinds(during) == {"UpstreamError": len(keys)}
    assert slowest(during) < IN_TIME_SECONDS
    assert healed_after < 8.0
    assert kinds(after) == {ANSWERED: len(keys)}
    assert memory - before[1] < MORE_MEMORY_MIB
    assert elsewhere.model.calls == []
    assert "canary-access-token" not in json.dumps(service.records)
    assert hosts.each_got_one_reply
