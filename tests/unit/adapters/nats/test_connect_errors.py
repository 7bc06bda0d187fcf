"""A failed connect says what to check, and of several failures the most telling one."""

from __future__ import annotations

import socket
import ssl

import pytest
from nats import errors

from adapters.nats.connect_errors import connect_error, failure_reason
from adapters.nats.credentials import CredentialsUnusableError
from adapters.nats.settings import NatsAddress

ADDRESSES = [NatsAddress("a", 1, tls=False), NatsAddress("b", 2, tls=True)]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (errors.Error("nats: 'Authorization Violation'"), "authorization"),
        (errors.Error("nats: User Authentication Expired"), "authorization"),
        (errors.AuthorizationError(), "authorization"),
        (errors.Error("nats: 'maximum connections exceeded'"), "rejected"),
        (errors.Error("nats: empty response from server when expecting INFO"), "not_nats"),
        (errors.Error("nats: info message, json parse error"), "not_nats"),
        (errors.ProtocolError(), "not_nats"),
        (errors.SecureConnWantedError(), "tls_missing"),
        (ssl.SSLCertVerificationError("self-signed"), "certificate"),
        (ssl.SSLError("handshake failure"), "tls"),
        (TimeoutError(), "timeout"),
        (errors.TimeoutError(), "timeout"),
        (ConnectionRefusedError(111, "refused"), "refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111]"), "refused"),
        (OSError("anything else"), "failed"),
        (socket.gaierror(-2, "unknown"), "unresolved"),
        (errors.UnexpectedEOF(), "failed"),
        (RuntimeError("anything"), "failed"),
    ],
)
def test_each_kind_of_failure_has_its_own_code(failure: Exception, reason: str) -> None:
    assert failure_reason(failure) == reason


def test_the_text_names_every_server_and_what_to_check() -> None:
    error = connect_error(ADDRESSES, [ConnectionRefusedError()])

    assert str(error).startswith("Failed to connect to NATS at nats://a:1, tls://b:2: ")
    assert "Check that nats-server is running" in str(error)


def test_of_several_failures_the_most_telling_is_reported() -> None:
    error = connect_error(ADDRESSES, [ConnectionRefusedError(), errors.AuthorizationError()])

    assert error.reason == "authorization"


def test_unusable_credentials_are_reported_in_their_own_words() -> None:
    error = connect_error(ADDRESSES, [CredentialsUnusableError("The file x cannot be read.")])

    assert (error.reason, str(error)) == (
        "credentials",
        "Failed to connect to NATS at nats://a:1, tls://b:2: The file x cannot be read.",
    )


def test_without_any_failure_known_there_is_still_a_text() -> None:
    assert connect_error(ADDRESSES, []).reason == "failed"
