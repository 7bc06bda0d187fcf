"""The few headers the service reads, from the raw block: whatever it holds, nothing raises."""

from __future__ import annotations

import json

from adapters.crypto.nkeys_text import PUBLIC_LENGTH
from domain.model.transport import Requester

HOST_XKEY = "WasmCloud-Host-Xkey"
SERVER_RESPONSE_XKEY = "Server-Response-Xkey"

STATUS = "Status"
"""What nats-py calls the number in a server's status line, among a message's headers."""

NO_RESPONDERS = "503"
"""The status by which a server says that nothing listens on a subject."""

NO_RESPONDERS_START = f"NATS/1.0 {NO_RESPONDERS}".encode()
"""What the raw header block of such a message begins with."""

MAX_BLOCK_BYTES = 8192
"""A longer block is not searched: hosts send about 100 bytes, to which the server adds about 200.
Each line of it costs time, and a peer may send as many as its server's `max_payload` allows."""

_END = b"\r\n\r\n"
_USUAL_START = f"NATS/1.0\r\n{HOST_XKEY}: ".encode()
_USUAL_KEY = slice(len(_USUAL_START), len(_USUAL_START) + PUBLIC_LENGTH)
_RESPONSE_START = f"NATS/1.0\r\n{SERVER_RESPONSE_XKEY}: ".encode()
_HOST_XKEY = b"\r\n" + HOST_XKEY.lower().encode() + b":"
_REQUEST_INFO = b"\r\nNats-Request-Info:"


def read_host_xkey(block: bytes | None) -> str | None:
    """Return the host's xkey as sent, or None if there is none.

    The name is compared case-insensitively. Contradicting copies come back joined by ", ", as HTTP
    reads them: no key looks like that, so the sender gets an error that names its header.
    """
    if block is None or len(block) > MAX_BLOCK_BYTES:
        return None
    usual = block[_USUAL_KEY]
    if block == _USUAL_START + usual + _END and len(usual) == PUBLIC_LENGTH:
        # Nothing but the one header, as hosts write it: there is nothing to search for.
        return usual.decode("utf-8", "replace")
    values = _values(block, block.lower(), _HOST_XKEY)
    if not values:
        return None
    return b", ".join(dict.fromkeys(values)).decode("utf-8", "replace")


def read_requester(block: bytes | None) -> Requester | None:
    """Return whom the server itself names as the sender.

    nats-server adds `Nats-Request-Info` to requests that cross into this account by a shared
    import, and replaces a header of that exact name. Another casing would be the sender's own, so
    this name alone is compared exactly. It proves nothing about senders in this very account.
    """
    if block is None or len(block) > MAX_BLOCK_BYTES:
        return None
    values = _values(block, block, _REQUEST_INFO)
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


def response_block(xkey: str) -> bytes:
    """Write the header block of an answer sealed by that public xkey."""
    return _RESPONSE_START + xkey.encode() + _END


def _values(block: bytes, searched: bytes, line_start: bytes) -> list[bytes]:
    """Return the values of all lines that begin so, where `searched` shows the block's names.

    The search needs no loop over lines: it runs for every request.
    """
    values = []
    found = searched.find(line_start)
    while found >= 0:
        start = found + len(line_start)
        end = block.find(b"\r\n", start)
        values.append(block[start : len(block) if end < 0 else end].strip())
        found = searched.find(line_start, start)
    return values
