"""What `UpstreamHttp` needs, as narrow ports: the HTTP library, and admission of each attempt."""

from __future__ import annotations

import errno
import re
import ssl
from abc import abstractmethod
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from adapters.upstream.message import UpstreamRequest, UpstreamResponse

IDLE_CONNECTION_SECONDS = 30.0
"""Below the 60 seconds of common load balancers, after which they forget a connection."""

REUSED_PATIENCE_SECONDS = 1.5
"""How long an answer may take on a connection that was used before, until the server has been
slower than that on a new one: in a failover such connections end without a word."""


TRUST_SECONDS = 60.0
"""For so long after the server was seen to be slow, a slow answer does not speak against the
connection."""


class Failure(StrEnum):
    """Why there is no usable answer."""

    UNREACHABLE = "unreachable"
    """No connection, or one that broke."""

    NO_DESCRIPTORS = "no_descriptors"
    """This process, or the machine, has none left for a connection."""

    TIMED_OUT = "timed_out"
    UNTRUSTED = "certificate_untrusted"
    REFUSED = "certificate_refused"
    """The server wants another client certificate, or one at all, and says so by a TLS alert."""

    TOO_LARGE = "answer_too_large"
    UNREADABLE = "answer_unreadable"


_CERTIFICATE_ALERT: Final = re.compile("ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
"""OpenSSL's names of what the other side says of a certificate."""

_OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE})
"""The system's own numbers for it."""


def broken_by(error: Exception) -> Failure:
    """Return what it means that a connection ended in this error, or was not made."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure.UNTRUSTED
    if isinstance(error, ssl.SSLError) and _CERTIFICATE_ALERT.search(error.reason or ""):
        return Failure.REFUSED
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(error, OSError) and error.errno in _OUT_OF_DESCRIPTORS:
        return Failure.NO_DESCRIPTORS
    return Failure.UNREACHABLE


class TransportError(Exception):
    """There is no usable answer. Keeps nothing of the request, which holds credentials.

    Attributes:
        failure: what happened.
        kind: the failure's technical name, for the log.
        never_sent: the request surely did not reach the server.
        reused: it was sent on a connection that had been used before.
    """

    def __init__(
        self, failure: Failure, kind: str, *, never_sent: bool = False, reused: bool = False
    ) -> None:
        super().__init__(failure)
        self.failure = failure
        self.kind = kind
        self.never_sent = never_sent
        self.reused = reused

    @property
    def may_need_certificates(self) -> bool:
        """Whether other certificates may help: some servers refuse ours without a word."""
        return self.failure in {Failure.UNTRUSTED, Failure.REFUSED, Failure.UNREACHABLE}


class HttpEngine(Protocol):
    """Sends requests over a bounded pool of connections; safe for concurrent calls.

    It follows no redirect, keeps no cookie, unpacks no compressed body, and its exceptions hold
    nothing of the request.
    """

    @abstractmethod
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send one request and read its answer whole.

        Raises:
            TransportError: there is no answer, half of one, or one that is too large or packed.
        """

    @abstractmethod
    def drop_idle(self) -> None:
        """Use no connection again that is open now; calls in flight go on."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections."""


class Grant(Protocol):
    """Admission of one attempt; it learns how the attempt ended."""

    @abstractmethod
    def answered(self, response: UpstreamResponse) -> None:
        """Learn the server's limits from its response."""

    @abstractmethod
    def failed(self, error: TransportError) -> None:
        """Note that there was no usable response."""


Slot: TypeAlias = "Callable[[], AbstractAsyncContextManager[Grant | None]]"
"""Makes a context that admits one attempt: entering it waits, or raises RateLimited."""
