"""One NATS KV bucket, as the stream it is: reading, listing and appending revisions (ADR-8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors
import structlog
from nats.js.api import DiscardPolicy, StorageType, StoreCompression, StreamConfig

from adapters.nats_kv.calls import (
    WRONG_LAST_SEQUENCE,
    BucketMissingError,
    VersionConflictError,
    ask,
    bucket_missing,
)
from adapters.nats_kv.stream_reader import Operation, StreamReader, read_entry, read_operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from nats.aio.client import Client
    from nats.js import JetStreamContext

    from adapters.nats_kv.settings import NatsKvSettings
    from adapters.nats_kv.stream_reader import Entry
    from ports.clock import Clock


_ATTEMPT_SECONDS = 2.0
_AT_ONCE = 64

_STREAM_NAME_IN_USE = 10058
_DUPLICATE_WINDOW_SECONDS = 120.0

_log = structlog.get_logger()


class Bucket:
    """The bucket behind `config.bucket`, over a connection that its owner opens and closes.

    Every deadline is in monotonic seconds; every method raises UpstreamError when NATS does not
    answer by then, refuses, or has no such bucket.
    """

    def __init__(self, client: Client, config: NatsKvSettings, clock: Clock) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._jetstream = client.jetstream(timeout=_ATTEMPT_SECONDS)
        self._stream = f"KV_{config.bucket}"
        self._prefix = f"$KV.{config.bucket}."
        self._reader = StreamReader(self._jetstream, config, clock)

    @property
    def max_message_bytes(self) -> int:
        """The most bytes that the server takes in one message, headers included."""
        return self._client.max_payload

    def deadline(self) -> float:
        """Return by when a check or a command that begins now must have ended."""
        return self._clock.monotonic() + self._config.operation_seconds

    async def ensure(self, deadline: float) -> bool:
        """See that the bucket is there; make it if there is none and the configuration says so.
        Returns whether it was made.
        """
        return await ask(self._clock, deadline, self._ensure)

    async def configuration(self, deadline: float) -> StreamConfig:
        """Return how the bucket is configured, having looked whether a mirror answers for it."""
        return await ask(self._clock, deadline, self._reader.configuration)

    async def latest(self, name: str, deadline: float) -> Entry | None:
        """Return the newest revision of a key, or None if it has none."""
        return await ask(self._clock, deadline, lambda: self._entry(name))

    async def at(self, name: str, revision: int, deadline: float) -> Entry | None:
        """Return one revision of a key, or None if it is another key's or no longer kept."""
        return await ask(self._clock, deadline, lambda: self._entry(name, revision))

    async def history(self, name: str, deadline: float) -> list[Entry]:
        """Return every revision kept of a key, oldest first."""

        async def call() -> list[Entry]:
            entries: list[Entry] = []
            revision = 1
            while message := await self._reader.get(
                revision=revision, subject=self._prefix + name, following=True
            ):
                entry = read_entry(message)
                entries.append(entry)
                revision = entry.revision + 1
            return entries

        return await ask(self._clock, deadline, call)

    async def newest(self, count: int, deadline: float) -> list[Entry]:
        """Return what is kept of the bucket's last `count` revisions, newest first."""

        async def call() -> list[Entry]:
            last = (await self._reader.info()).state.last_seq
            revisions = range(last, max(0, last - count), -1)
            messages = await asyncio.gather(
                *(self._reader.get(revision=revision) for revision in revisions)
            )
            return [read_entry(message) for message in messages if message is not None]

        return await ask(self._clock, deadline, call)

    async def names(self, deadline: float) -> list[str]:
        """Return the keys that have a value, sorted."""

        async def call() -> list[str]:
            return [name async for name, _ in self._values()]

        return await ask(self._clock, deadline, call)

    async def values(self, count: int, deadline: float) -> list[Entry]:
        """Return the latest value of each key; of more than `count` keys, an even sample."""

        async def call() -> list[Entry]:
            return [entry async for _, entry in self._values(count)]

        return await ask(self._clock, deadline, call)

    async def append(
        self, name: str, payload: bytes, headers: Mapping[str, str], deadline: float
    ) -> int:
        """Write a key's next revision and return its number.

        Raises:
            UpstreamError: as everywhere; after a timeout the revision may have been written.
            VersionConflictError: the headers expect another last revision than the key has.
        """

        async def call() -> int:
            try:
                ack = await self._jetstream.publish(
                    self._prefix + name, payload, stream=self._stream, headers=dict(headers)
                )
            except nats.js.errors.APIError as error:
                if error.err_code not in WRONG_LAST_SEQUENCE:
                    raise
            else:
                return ack.seq
            raise VersionConflictError

        return await ask(self._clock, deadline, call)

    async def _ensure(self) -> bool:
        try:
            await self._reader.bind()
        except BucketMissingError:
            if not self._config.create_bucket:
                raise
            try:
                await add_bucket(self._jetstream, self._config)
            except nats.errors.TimeoutError:
                raise bucket_missing(self._config.bucket) from None
            await self._reader.bind()
            return True
        return False

    async def _entry(self, name: str, revision: int | None = None) -> Entry | None:
        subject = self._prefix + name
        asked = subject if revision is None else None
        message = await self._reader.get(revision=revision, subject=asked)
        return None if message is None or message.subject != subject else read_entry(message)

    async def _values(self, count: int | None = None) -> AsyncIterator[tuple[str, Entry]]:
        """Ask for the subjects, then for the last revision of each: no consumer is needed.

        A user who may make a consumer may have it deliver to any subject of the account.
        """
        try:
            info = await self._jetstream.stream_info(
                self._stream, subjects_filter=f"{self._prefix}>"
            )
        except nats.js.errors.NotFoundError:
            raise bucket_missing(self._config.bucket) from None
        subjects = sorted(info.state.subjects or ())
        if count is not None:
            subjects = subjects[:: max(1, -(-len(subjects) // count))]
        for batch in (subjects[at : at + _AT_ONCE] for at in range(0, len(subjects), _AT_ONCE)):
            found = await asyncio.gather(*(self._reader.get(subject=subject) for subject in batch))
            for subject, message in zip(batch, found, strict=True):
                if message is not None and read_operation(message.headers) is Operation.PUT:
                    yield subject.removeprefix(self._prefix), read_entry(message)


def stream_config(config: NatsKvSettings) -> StreamConfig:
    """Return the bucket's stream, on disk and compressed with S2 as secrets-nats-kv makes it.

    nats-py's own KV configuration has no compression, so the stream is spelled out.
    """
    return StreamConfig(
        name=f"KV_{config.bucket}",
        subjects=[f"$KV.{config.bucket}.>"],
        max_msgs_per_subject=config.history,
        num_replicas=config.replicas,
        storage=StorageType.FILE,
        compression=StoreCompression.S2,
        discard=DiscardPolicy.NEW,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
        allow_rollup_hdrs=True,
        deny_delete=True,
        allow_direct=True,
        max_consumers=-1,
        max_msgs=-1,
        max_bytes=-1,
    )


async def add_bucket(jetstream: JetStreamContext, config: NatsKvSettings) -> None:
    """Make the bucket; one that another replica has just made, in whatever shape, will do.

    Raises:
        nats.errors.Error: NATS refused.
    """
    try:
        await jetstream.add_stream(stream_config(config))
    except nats.js.errors.BadRequestError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
    else:
        _log.info(
            "nats_kv.bucket_created",
            bucket=config.bucket,
            history=config.history,
            replicas=config.replicas,
        )
