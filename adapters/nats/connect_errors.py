"""Why NATS cannot be reached, in words that say what to check."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING

from nats import errors

from adapters.nats.credentials import CredentialsUnusableError
from ports.transport_plugin import TransportFailedError, TransportRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.nats.settings import NatsAddress

_CHECKS = {
    "authorization": "the server rejected the credentials. Check the user and password, token, "
    "nkey or credentials file, and that the server knows this user",
    "certificate": "the server's TLS certificate is not trusted. Check the CA file, and that the "
    "certificate names the host in the URL",
    "tls": "the TLS handshake failed. Check whether the server wants a client certificate, and "
    "whether it expects the handshake first",
    "tls_missing": "TLS is asked for, but the server offers none. Configure TLS on the server, or "
    "write nats:// and leave the TLS files out",
    "rejected": "the server refused this client. Its log says why; check its connection limits",
    "not_nats": "what answers there does not speak NATS. Check host and port, and whether the "
    "server expects the TLS handshake first",
    "timeout": "no answer in time. Check host and port, and that no firewall is in between",
    "refused": "nothing listens there. Check that nats-server is running, and host and port",
    "unresolved": "the host name is unknown. Check its spelling and the DNS",
    "failed": "the network failed. Check host, port and the network in between",
}
"""Most telling first: of several servers' failures, the one nearest to working is reported."""

_REFUSALS = frozenset({"authorization", "rejected"})
"""What is corrected at the server, without a change of this service's configuration."""

_REASONS = (
    (errors.AuthorizationError, "authorization"),
    (errors.SecureConnWantedError, "tls_missing"),
    (errors.UnexpectedEOF, "failed"),
    (errors.ProtocolError, "not_nats"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (socket.gaierror, "unresolved"),
    (ConnectionRefusedError, "refused"),
)


class NatsConnectError(TransportFailedError):
    """The first connect failed; the text says what to check and holds no credential."""

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class NatsRefusedError(NatsConnectError, TransportRefusedError):
    """A server is there and does not take this client."""


def connect_error(
    addresses: Sequence[NatsAddress], failures: Sequence[Exception]
) -> NatsConnectError:
    """Make one error of all servers' failures."""
    shown = ", ".join(str(address) for address in addresses)
    for failure in failures:
        if isinstance(failure, CredentialsUnusableError):
            return NatsConnectError(
                f"Failed to connect to NATS at {shown}: {failure}", reason="credentials"
            )
    reasons = {failure_reason(failure) for failure in failures} or {"failed"}
    reason = next(reason for reason in _CHECKS if reason in reasons)
    kind = NatsRefusedError if reason in _REFUSALS else NatsConnectError
    return kind(f"Failed to connect to NATS at {shown}: {_CHECKS[reason]}.", reason=reason)


def failure_reason(failure: Exception) -> str:
    """Return a constant code for a failed attempt or a broken connection."""
    for kind, reason in _REASONS:
        if isinstance(failure, kind):
            return reason
    if isinstance(failure, errors.Error):
        return _protocol_reason(str(failure).lower())
    # asyncio's sum over all addresses of a host name is a bare OSError.
    return "refused" if f"[Errno {errno.ECONNREFUSED}]" in str(failure) else "failed"


def _protocol_reason(text: str) -> str:
    if "authorization" in text or "authentication" in text:
        return "authorization"
    if "empty response" in text or "json parse" in text:
        return "not_nats"
    return "rejected"
