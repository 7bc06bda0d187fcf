"""Reading a bucket's stream, ADR-8: from any replica where that is allowed, never from a mirror."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import nats.errors
import nats.js.errors
import structlog

from adapters.nats_kv import reasons
from adapters.nats_kv.calls import STREAM_NOT_FOUND, ask_again, bucket_missing
from domain.model.errors import UpstreamError
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nats.js import JetStreamContext
    from nats.js.api import RawStreamMsg, StreamConfig, StreamInfo

    from adapters.nats_kv.settings import NatsKvSettings
    from ports.clock import Clock

OPERATION_HEADER = "KV-Operation"

_MARKER_HEADER = "Nats-Marker-Reason"  # written by nats-server itself, from 2.11

_STREAM_HEADER: Final = "Nats-Stream"
_MIRROR_QUESTIONS: Final = 12
"""Each is answered by a mirror with a chance of some 45 %, if there is one that may."""

_MIRROR: Final = (
    "A mirror of this bucket (mirror_direct) answers direct reads, also with values that were "
    "erased here. Reads go through the stream's leader from now on. Turn mirror_direct off."
)
_log = structlog.get_logger()


class Operation(StrEnum):
    """What a revision did to its key."""

    PUT = "put"
    DELETE = "delete"
    PURGE = "purge"


_OPERATIONS = {"DEL": Operation.DELETE, "PURGE": Operation.PURGE}


@opaque
class Entry:
    """One revision of one key; a deletion has one too."""

    revision: int
    operation: Operation
    created: datetime | None
    sealed: bytes


def read_entry(message: RawStreamMsg) -> Entry:
    """Read a message; raises UpstreamError if it tells no revision."""
    if message.seq is None:
        raise UpstreamError(
            "JetStream answered without a revision; check nats-server's version.",
            reason=reasons.ANSWER_MALFORMED,
        )
    return Entry(
        revision=message.seq,
        operation=read_operation(message.headers),
        created=message.time,
        sealed=message.data or b"",
    )


def read_operation(headers: Mapping[str, str] | None) -> Operation:
    """Read what a message did; a marker of a kind unknown here never counts as a value."""
    if not headers:
        return Operation.PUT
    if operation := headers.get(OPERATION_HEADER):
        return _OPERATIONS.get(operation, Operation.PUT)
    return Operation.PURGE if _MARKER_HEADER in headers else Operation.PUT


class StreamReader:
    """Reads single messages of the stream behind a bucket; calls last as long as nats-py lets them.

    With `mirror_direct` a mirror answers a share of the direct reads, also with what was erased in
    the bucket itself. An answer names its stream, so the first one of a mirror ends direct reads.
    """

    def __init__(self, jetstream: JetStreamContext, config: NatsKvSettings, clock: Clock) -> None:
        self._jetstream = jetstream
        self._config = config
        self._clock = clock
        self._stream = f"KV_{config.bucket}"
        self._direct: bool | None = None
        self._is_mirrored = False

    async def configuration(self) -> StreamConfig:
        """Return how the bucket is configured, having looked whether a mirror answers for it."""
        info = await self.info()
        for _ in range(_MIRROR_QUESTIONS):
            if self._direct and info.state.messages:
                await self.get(revision=info.state.last_seq)
        return info.config

    async def info(self) -> StreamInfo:
        """Return the stream's configuration and state."""
        with suppress(nats.js.errors.NotFoundError):
            return await ask_again(self._clock, lambda: self._jetstream.stream_info(self._stream))
        raise bucket_missing(self._config.bucket)

    async def bind(self) -> bool:
        """Learn whether the bucket's messages can be had from any replica, not its leader alone."""
        info = await self.info()
        if info.config.mirror is not None:
            raise UpstreamError(
                f"The bucket {self._config.bucket} is a mirror, which holds its origin's subjects; "
                "set NATS_KV_BUCKET to the bucket it mirrors.",
                reason="bucket_is_mirror",
            )
        wanted = self._config.direct and not self._is_mirrored
        self._direct = wanted and bool(info.config.allow_direct)
        return self._direct

    async def get(
        self, *, revision: int | None = None, subject: str | None = None, following: bool = False
    ) -> RawStreamMsg | None:
        """Return one message: by revision, the last of a subject, or a subject's next from one."""

        async def read(direct: bool) -> RawStreamMsg | None:  # noqa: FBT001  nats-py's own flag
            try:
                message = await self._jetstream.get_msg(
                    self._stream, seq=revision, subject=subject, direct=direct, next=following
                )
                if not direct or not self._is_of_a_mirror(message):
                    return message
                return await read(False)  # noqa: FBT003  as above
            except nats.js.errors.NotFoundError as error:
                if error.err_code == STREAM_NOT_FOUND:
                    raise
                return None

        async def read_once() -> RawStreamMsg | None:
            direct = self._direct
            if direct is None:
                direct = await self.bind()
            try:
                return await read(direct)
            except (nats.errors.NoRespondersError, nats.js.errors.NotFoundError):
                self._direct = None
            # The bucket is gone, or was created again with other settings: look once more.
            return await read(await self.bind())

        return await ask_again(self._clock, read_once)

    def _is_of_a_mirror(self, message: RawStreamMsg) -> bool:
        stream = (message.headers or {}).get(_STREAM_HEADER, self._stream)
        if stream == self._stream:
            return False
        self._direct = False
        if not self._is_mirrored:
            self._is_mirrored = True
            _log.warning(
                "nats_kv.mirror_answers", bucket=self._config.bucket, mirror=stream, advice=_MIRROR
            )
        return True
