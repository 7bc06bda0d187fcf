"""The few headers the service reads, from the raw block: whatever it holds, nothing raises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.model.transport import Requester

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST_XKEY = "WasmCloud-Host-Xkey"
SERVER_RESPONSE_XKEY = "Server-Response-Xkey"

_HOST_XKEY = HOST_XKEY.lower().encode()
_REQUEST_INFO = b"Nats-Request-Info"


def read_host_xkey(block: bytes | None) -> str | None:
    """Return the host's xkey as sent, or None if there is none.

    The name is compared case-insensitively. Contradicting copies come back joined by ", ", as HTTP
    reads them: no key looks like that, so the sender is told that its header is wrong.
    """
    values = {value for name, value in _fields(block) if name.lower() == _HOST_XKEY}
    if not values:
        return None
    return b", ".join(sorted(values)).decode("utf-8", "replace")


def read_requester(block: bytes | None) -> Requester | None:
    """Return whom the server itself names as the sender.

    nats-server adds `Nats-Request-Info` to requests that cross into this account by a shared
    import, and replaces a header of that exact name. Another casing would be the sender's own, so
    this name alone is compared exactly. It proves nothing about senders in this very account.
    """
    values = [value for name, value in _fields(block) if name == _REQUEST_INFO]
    if len(values) != 1:
        return None
    try:
        info = json.loads(values[0])
    except (ValueError, RecursionError):
        return None
    if not isinstance(info, dict):
        return None
    account, user = info.get("acc"), info.get("user")
    if not isinstance(account, str) or not account:
        return None
    return Requester(account, user if isinstance(user, str) and user else None)


def _fields(block: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    if block is None:
        return
    for line in block.split(b"\r\n")[1:]:  # the first line is the version, perhaps a status
        name, colon, value = line.partition(b":")
        if colon:
            yield name, value.strip()
