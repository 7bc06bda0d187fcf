"""One request and its reply as any transport carries them: subjects, headers and bytes.

The two that every request makes are named tuples, which take half as long to make as a frozen
dataclass; the same goes for others along its way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Operation(StrEnum):
    """The last token of the subject."""

    SERVER_XKEY = "server_xkey"
    GET = "get"


HOST_TIMEOUT_SECONDS: Final = 10.0
"""How long a wasmCloud host waits for each reply."""

WORKLOAD_READ: Final = "workload.read"
"""The audit trail's operation of a read for a workload, which this process begins itself."""


class Requester(NamedTuple):
    """The sender, as the transport itself vouches: the one identity a caller cannot forge.

    Attributes:
        account: the account the request came from, as the transport names it.
        user: its user in that account, when the server names one.
    """

    account: str
    user: str | None = None


class Request(NamedTuple):
    """What arrived.

    Attributes:
        operation: the operation's name as sent; it may be unknown.
        host_xkey: the text of the header `WasmCloud-Host-Xkey`, unchecked; None if absent.
        received_at: monotonic seconds at which the transport took the request in.
        max_reply_bytes: the largest body the transport can carry back; None if unlimited.
        requester: the sender that the transport vouches for; None where it vouches for none.
    """

    operation: str
    body: bytes
    host_xkey: str | None
    received_at: float
    max_reply_bytes: int | None = None
    requester: Requester | None = None


class Reply(NamedTuple):
    """What goes back.

    Attributes:
        body: sealed when `response_xkey` is set, otherwise in clear.
        response_xkey: the text for the header `Server-Response-Xkey`. It must be absent on errors:
            with it present wasmCloud's client discards the error.
    """

    body: bytes
    response_xkey: str | None = None
