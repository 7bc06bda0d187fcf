"""What a call on a bucket can end with, beside NATS's own failures."""

from __future__ import annotations

from typing import Final

from domain.model.errors import UpstreamError


class WrongLastRevisionError(Exception):
    """The key has another last revision than the one expected."""


class BucketMissingError(UpstreamError):
    """There is no bucket of that name."""

    default_reason = "bucket_missing"


def bucket_missing(bucket: str) -> BucketMissingError:
    """Return the error for a bucket that does not exist."""
    return BucketMissingError(
        f"There is no bucket {bucket}. Start the service, which makes it, or set NATS_KV_BUCKET "
        "to the one that holds the secrets."
    )


WRONG_LAST_SEQUENCE: Final = frozenset({10071, 10164})
"""JetStream's err_code for "wrong last sequence", as two versions of nats-server number it."""
