"""Making the bucket: the stream that every NATS client takes for a KV bucket (ADR-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats.js.errors
import structlog
from nats.js.api import DiscardPolicy, StorageType, StoreCompression, StreamConfig

if TYPE_CHECKING:
    from nats.js import JetStreamContext

    from adapters.nats_kv.settings import NatsKvSettings

_log = structlog.get_logger()

_STREAM_NAME_IN_USE = 10058
_DUPLICATE_WINDOW_SECONDS = 120.0


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
