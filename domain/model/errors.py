"""Every way a request can end without a secret.

    RequestError
    ├── SecretNotFound      ├── InvalidXKey        ├── InvalidEntityJwt
    ├── Unauthorized        ├── EncryptionFailed   ├── InvalidHostJwt
    ├── InvalidRequest      ├── DecryptionFailed   ├── UpstreamError
    ├── InvalidPayload      └── InvalidHeaders     │   ├── StoreUnavailable
    └── (texts stay in the log)                    │   └── RateLimited
                                                   ├── PolicyError
                                                   └── OtherError   (texts cross the wire in clear)

`domain.model.replies` turns each into the exact JSON that wasmCloud's client parses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


class SecretsError(Exception):
    """One request ends here.

    Args:
        advice: one or two sentences that tell the reader what to do next. It may cross the wire in
            clear, so it never holds a value, a token, a key or an upstream's own words.
        reason: a constant snake_case code for logs and audit; defaults to the class's own.
        upstream_request_id: the store's own id for the call that failed, when it gave one.
        retry_after: seconds from now after which the same request has a chance; None if unknown.

    No subclass takes other arguments, so that each request waiting for a shared failure can be
    given an error of its own by `again`.
    """

    default_reason = "failed"

    def __init__(
        self,
        advice: str,
        *,
        reason: str | None = None,
        upstream_request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(advice)
        self.advice = advice
        self.reason = reason or self.default_reason
        self.upstream_request_id = upstream_request_id
        self.retry_after = retry_after

    def again(self) -> Self:
        """Return a new error that says the same, and has no traceback.

        One exception raised in many tasks would collect all their stacks.
        """
        return type(self)(
            self.advice,
            reason=self.reason,
            upstream_request_id=self.upstream_request_id,
            retry_after=self.retry_after,
        )


class RequestError(SecretsError):
    """An error that the protocol can carry.

    `wire_name`: its name there (`GetSecretError` of wasmcloud-secrets-types).
    """

    wire_name: str


class SecretNotFound(RequestError):
    """Nothing is stored under the key, or not in that version, or not that field."""

    default_reason = "secret_not_found"
    wire_name = "SecretNotFound"


class InvalidXKey(RequestError):
    """The host's xkey header is no public X25519 key in nkeys text form."""

    default_reason = "invalid_xkey"
    wire_name = "InvalidXKey"


class EncryptionFailed(RequestError):
    """The answer could not be sealed for the host."""

    default_reason = "encryption_failed"
    wire_name = "EncryptionError"


class DecryptionFailed(RequestError):
    """The body does not open with any of the server's xkeys."""

    default_reason = "decryption_failed"
    wire_name = "DecryptionError"


class Unauthorized(RequestError):
    """The caller may not have this secret."""

    default_reason = "unauthorized"
    wire_name = "Unauthorized"


class InvalidRequest(RequestError):
    """The opened body is not a request, or asks for something impossible."""

    default_reason = "invalid_request"
    wire_name = "InvalidRequest"


class InvalidPayload(RequestError):
    """The body is empty or too large to be a request."""

    default_reason = "invalid_payload"
    wire_name = "InvalidPayload"


class InvalidHeaders(RequestError):
    """The host's xkey header is missing."""

    default_reason = "invalid_headers"
    wire_name = "InvalidHeaders"


class InvalidEntityJwt(RequestError):
    """The component's or provider's token does not hold."""

    default_reason = "invalid_entity_jwt"
    wire_name = "InvalidEntityJWT"


class KeyProbe(InvalidEntityJwt):
    """The request asks only whether it can be opened: `keys rotate` asks every replica so.

    The reply is that of any request without tokens; the audit trail counts no refusal.
    """

    default_reason = "key_probe"


class InvalidHostJwt(RequestError):
    """The host's token does not hold."""

    default_reason = "invalid_host_jwt"
    wire_name = "InvalidHostJWT"


class UpstreamError(RequestError):
    """The secret store could not answer, or answered something that must not be passed on."""

    default_reason = "upstream_error"
    wire_name = "UpstreamError"


class StoreUnavailable(UpstreamError):
    """The store is unreachable, too slow or failing.

    The circuit breaker counts it, and a cached value may be served stale in its place.
    """

    default_reason = "store_unavailable"


class StoreTooSlow(StoreUnavailable):
    """The store did not answer in time."""

    default_reason = "store_too_slow"


class CallFailed(StoreUnavailable):
    """The store answered this call with an error of its own, such as HTTP 500: it is up.

    The circuit breaker takes it for an answer: the next call may well succeed. All else is as for
    any store that is unavailable.
    """

    default_reason = "store_call_failed"


class RateLimited(UpstreamError):
    """The store is up, and may not be asked just now: its limit, or the operator's, is used up.

    The circuit breaker takes it for an answer, and a cached value may be served stale in its place.
    `retry_after` says when the request has a chance.
    """

    default_reason = "store_rate_limited"


class CallWithheld(RateLimited):
    """This request was not sent, to keep a limit; so it says nothing to the circuit breaker."""

    default_reason = "store_call_withheld"


class StoreBusy(CallWithheld):
    """The store is too slow for all that is asked of it; this request was not sent."""

    default_reason = "store_busy"


class ServiceStarved(UpstreamError):
    """This process was too late with its own work to tell whether the store is.

    The circuit breaker does not count it, and a cached value may be served stale in its place.
    """

    default_reason = "service_starved"


class PolicyError(RequestError):
    """The policy in the application's manifest is malformed or asks for more than is allowed."""

    default_reason = "policy_error"
    wire_name = "PolicyError"


class OtherError(RequestError):
    """Anything the protocol has no name for: replays, overload, answers too large, bugs."""

    default_reason = "other"
    wire_name = "Other"


REQUEST_ERRORS = tuple(RequestError.__subclasses__())
"""One class for each name that the protocol has."""
