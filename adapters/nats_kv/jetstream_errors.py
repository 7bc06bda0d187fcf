"""What the `err_code`s of JetStream mean for a bucket of secrets, and what to do about each.

The numbers are those of nats-server's `server/errors.json`; only what a read, a write or the making
of a bucket can meet is listed.
"""

from __future__ import annotations

from typing import Final

from adapters.nats_kv import reasons
from domain.model.errors import StoreUnavailable, UpstreamError

_FULL = (
    "The bucket could not store the value (JetStream error {code}): its limit of bytes or messages "
    "is reached, or the server's disk is full. Raise the stream's limits, or make room on the "
    "disk; a delete needs room as well, for the mark that it leaves."
)
_ACCOUNT_LIMIT = (
    "The NATS account's JetStream limits do not allow it (JetStream error {code}). Raise the "
    "account's limits of storage, or delete what it no longer needs."
)
_SERVER_LIMIT = (
    "nats-server has no JetStream resources left (JetStream error {code}). Raise max_file_store, "
    "or make room on its disk."
)
_CLUSTER = (
    "The JetStream cluster has no leader or majority just now (JetStream error {code}). Check that "
    "most of its servers run and reach each other."
)
_NO_PEERS = (
    "No JetStream server of the cluster can take the bucket (JetStream error {code}). Lower "
    "NATS_KV_REPLICAS, or add servers with room and JetStream."
)
_REPLICAS = (
    "This nats-server is not clustered, so it keeps one replica (JetStream error {code}). Set "
    "NATS_KV_REPLICAS to 1."
)

_DISABLED: Final = frozenset({10039, 10076})
"""For the account, and for the server."""

_TEMPORARY: Final = {10006: _CLUSTER, 10008: _CLUSTER, 10009: _CLUSTER, 10118: _CLUSTER}
_LASTING: Final = {
    10002: _ACCOUNT_LIMIT,
    10005: _NO_PEERS,
    10023: _SERVER_LIMIT,
    10027: "The NATS account may have no further stream (JetStream error {code}). Raise its limit "
    "of streams, or delete one.",
    10028: _SERVER_LIMIT,
    10047: _SERVER_LIMIT,
    10052: "nats-server does not take the bucket's configuration (JetStream error {code}). Check "
    "NATS_KV_HISTORY and NATS_KV_REPLICAS, and nats-server's log.",
    10054: "The value is larger than the bucket takes in one message (JetStream error {code}). "
    "Raise the stream's max_msg_size, or store a smaller value.",
    10065: "Another stream of the account already holds the bucket's subjects (JetStream error "
    "{code}). Choose another NATS_KV_BUCKET, or delete that stream.",
    10074: _REPLICAS,
    10077: _FULL,
    10097: "The message's headers are larger than nats-server takes (JetStream error {code}). "
    "Report it.",
    10109: "The bucket's stream is sealed, so nothing can be written (JetStream error {code}). "
    "Write to another bucket.",
    10111: "The bucket's stream does not let values be erased (JetStream error {code}). Set its "
    "allow_rollup_hdrs, as every KV bucket has it.",
    10113: "The NATS account requires a size limit (max_bytes) for each stream (JetStream error "
    "{code}). Make the bucket yourself, with --max-bucket-size.",
    10122: "The bucket asks for more bytes than the NATS account allows a stream (JetStream error "
    "{code}). Raise the account's max_stream_bytes.",
}


def error_of(code: int | None) -> UpstreamError | None:
    """Return what an `err_code` means; None if this table does not have it."""
    if code in _DISABLED:
        return UpstreamError(
            "JetStream is not enabled for this NATS account; enable it there or, where it "
            "imports another account's, set NATS_JETSTREAM_PREFIX.",
            reason=reasons.JETSTREAM_DISABLED,
        )
    if code in _TEMPORARY:
        advice = _TEMPORARY[code].format(code=code)
        return StoreUnavailable(advice, reason=reasons.JETSTREAM_UNAVAILABLE)
    if code in _LASTING:
        advice = _LASTING[code].format(code=code)
        return UpstreamError(advice, reason=reasons.JETSTREAM_REFUSED)
    return None
