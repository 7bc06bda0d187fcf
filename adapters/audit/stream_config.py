"""The JetStream stream that keeps the audit trail, and how it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import nats.errors
import nats.js.errors
import structlog
from nats.js.api import DiscardPolicy, StorageType, StoreCompression, StreamConfig

from adapters.audit.sink import AuditSinkError, BufferLimits, OnFull
from adapters.audit.stream_names import (
    DEFAULT_STREAM,
    DEFAULT_SUBJECT,
    REFUSED_SUBJECT,
    refused_stream,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats.js import JetStreamContext

_log = structlog.get_logger()

_DUPLICATE_WINDOW_SECONDS = 120.0
_STREAM_NAME_IN_USE = 10058
_JETSTREAM_DISABLED = frozenset({10039, 10076})


class AuditStreamConfig(NamedTuple):
    """The stream's name, and its shape should it have to be made; an existing one is left as it is.

    Attributes:
        subject: what events are published to.
        max_age_seconds: events older than this are removed; 0 keeps them as long as there is room.
        max_bytes: beyond this the oldest are removed.
        replicas: servers that each hold the stream, 1 to 5; a single server can only do 1.
    """

    stream: str = DEFAULT_STREAM
    subject: str = DEFAULT_SUBJECT
    max_age_seconds: float = 90 * 86400.0
    max_bytes: int = 1024 * 1024 * 1024
    replicas: int = 1
    limits: BufferLimits = BufferLimits()


def refused_config(config: AuditStreamConfig) -> AuditStreamConfig:
    """Return the second stream, for refusals; what finds no room in its buffer is dropped."""
    return config._replace(
        stream=refused_stream(config.stream),
        subject=REFUSED_SUBJECT,
        limits=config.limits._replace(on_full=OnFull.DROP),
    )


async def ensure_stream(jetstream: JetStreamContext, config: AuditStreamConfig) -> None:
    """Make the stream if it is missing; one that is there must take the subject.

    Raises:
        AuditSinkError: the stream cannot be used; the text says what to change.
        nats.errors.Error, TimeoutError: JetStream did not answer.
    """
    refusal: int | None
    try:
        try:
            info = await jetstream.stream_info(config.stream)
        except nats.js.errors.NotFoundError:
            if await _add(jetstream, config):
                return
            info = await jetstream.stream_info(config.stream)
    except (
        nats.js.errors.ServiceUnavailableError,
        nats.errors.NoRespondersError,
        nats.js.errors.NoStreamResponseError,
    ) as error:
        if getattr(error, "err_code", None) not in _JETSTREAM_DISABLED:
            raise
        refusal = getattr(error, "err_code", None)
    except nats.js.errors.APIError as error:
        refusal = error.err_code
    else:
        _check_subject(info.config.subjects or (), config)
        return
    if refusal in _JETSTREAM_DISABLED:
        raise AuditSinkError(
            "JetStream is not enabled for the service's NATS account, and the audit stream needs "
            "it; enable it there."
        )
    raise AuditSinkError(
        f"JetStream does not let the stream {config.stream} be made or read (error {refusal}); "
        "check its limits against the account's, and that no other stream has its subject."
    )


def stream_config(config: AuditStreamConfig) -> StreamConfig:
    """Return the stream as it is made: on disk, the oldest removed first, nothing deletable."""
    return StreamConfig(
        name=config.stream,
        description="Who asked wasmcloud-secrets for what, and what became of it",
        subjects=[config.subject],
        max_age=config.max_age_seconds,
        max_bytes=config.max_bytes,
        max_msgs=-1,
        max_consumers=-1,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        compression=StoreCompression.S2,
        num_replicas=config.replicas,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
        deny_delete=True,
        allow_direct=True,
    )


async def _add(jetstream: JetStreamContext, config: AuditStreamConfig) -> bool:
    """Make the stream; False if another replica has just done so."""
    try:
        await jetstream.add_stream(stream_config(config))
    except nats.js.errors.BadRequestError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
        return False
    _log.info("audit.stream_created", stream=config.stream, subject=config.subject)
    return True


def _check_subject(taken: Iterable[str], config: AuditStreamConfig) -> None:
    if not any(covers(pattern, config.subject) for pattern in taken):
        raise AuditSinkError(
            f"The stream {config.stream} exists and does not take the subject {config.subject}; "
            "add it to the stream, or choose another stream."
        )


def covers(pattern: str, subject: str) -> bool:
    """Say whether a NATS subject with wildcards covers one without."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        given = given[: len(wanted)] if len(given) > len(wanted) else []
    return len(wanted) == len(given) and all(
        want in ("*", part) for want, part in zip(wanted, given, strict=True)
    )
