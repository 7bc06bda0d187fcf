"""Calls to NATS: bounded by a deadline, and failing only in this project's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import nats.errors
import nats.js.errors
from nats.js.errors import APIError, ServiceUnavailableError

from adapters.nats_kv import reasons
from adapters.nats_kv.jetstream_errors import error_of
from domain.model.errors import StoreTooSlow, StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.clock import Clock


_Answer = TypeVar("_Answer")

STREAM_NOT_FOUND = 10059
"""JetStream's err_code for a stream, and so a bucket, that does not exist."""

WRONG_LAST_SEQUENCE: Final = frozenset({10071, 10164})
"""JetStream's err_code for "wrong last sequence", as two versions of nats-server number it."""


async def ask(clock: Clock, deadline: float, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Make a call and wait for its answer until the deadline, in monotonic seconds.

    Raises:
        StoreUnavailable: time ran out, or NATS does not answer.
        UpstreamError: NATS refused; keeps neither NATS's words nor a context.
    """
    try:
        async with clock.timeout_at(deadline):
            return await call()
    except (TimeoutError, nats.errors.Error, OSError) as error:
        failure = upstream_error(error)
    raise failure


async def ask_again(clock: Clock, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Repeat a call that changes nothing as long as it gets no answer at all.

    A request in flight while a connection breaks is lost without a trace. To be used inside `ask`,
    which ends it.
    """
    while True:
        try:
            return await call()
        except nats.errors.TimeoutError:
            await clock.sleep(0)


def upstream_error(error: Exception) -> UpstreamError:
    """Return the typed error for a failed call; its text says what the operator can do."""
    match error:
        case TimeoutError():
            return StoreTooSlow(
                "NATS KV did not answer in time. Check that nats-server is reachable, that a "
                "cluster has its majority, and that the service's user may use the bucket's "
                "subjects and its inbox.",
                reason=reasons.TIMED_OUT,
            )
        case APIError(err_code=code, description=said) if known := error_of(code, said):
            return known
        case nats.errors.ProtocolError():
            return UpstreamError(
                "JetStream's answer cannot be read. Check nats-server's version, and that no other "
                "client may publish to this service's inbox.",
                reason=reasons.ANSWER_MALFORMED,
            )
        case (
            nats.errors.NoRespondersError()
            | nats.js.errors.NoStreamResponseError()
            | ServiceUnavailableError(err_code=None)
        ):
            return StoreUnavailable(
                "JetStream does not answer. Check that nats-server runs with JetStream, for the "
                "service's account, and that a cluster has its majority.",
                reason=reasons.JETSTREAM_UNAVAILABLE,
            )
        case APIError(err_code=int(code)) | APIError(code=int(code)):
            return _refused(code, lasts=not isinstance(error, ServiceUnavailableError))
        case _:
            return _not_sent(error)


def _not_sent(error: Exception) -> UpstreamError:
    if isinstance(error, nats.errors.MaxPayloadError):
        return StoreUnavailable(
            "The message is longer than NATS lets this login publish. Raise max_payload of the "
            "servers, and the payload limit of the login.",
            reason=reasons.MESSAGE_TOO_LONG,
        )
    return StoreUnavailable(
        "The connection to NATS failed; check that nats-server runs and is reachable.",
        reason=reasons.NATS_FAILED,
    )


def _refused(code: int, *, lasts: bool) -> UpstreamError:
    if lasts:
        return UpstreamError(
            f"JetStream refused the request with error {code}; look it up in nats-server's log "
            "and check the bucket's settings.",
            reason=reasons.JETSTREAM_REFUSED,
        )
    return StoreUnavailable(
        f"JetStream cannot do it just now (error {code}). Try again; if it lasts, look it up in "
        "nats-server's log.",
        reason=reasons.JETSTREAM_UNAVAILABLE,
    )


class VersionConflictError(Exception):
    """The secret has another version than the one expected: another client wrote it."""

    def __init__(self) -> None:
        super().__init__(
            "The secret's latest version is not the expected one; look at its history and try "
            "again."
        )


class BucketMissingError(UpstreamError):
    """There is no bucket of that name."""

    default_reason = "bucket_missing"


def bucket_missing(bucket: str) -> BucketMissingError:
    """Return the error for a bucket that does not exist."""
    return BucketMissingError(
        f"There is no bucket {bucket}. Start the service, which makes it, or set NATS_KV_BUCKET "
        "to the one that holds the secrets."
    )
