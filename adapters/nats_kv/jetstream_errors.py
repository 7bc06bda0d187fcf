"""What the `err_code`s of JetStream mean for a bucket of secrets, and what to do about each.

The numbers are those of nats-server's `server/errors.json`; only what a read, a write or the making
of a bucket can meet is listed.
"""

from __future__ import annotations

from typing import Final

from adapters.nats_kv import reasons
from domain.model.errors import StoreUnavailable, UpstreamError

_MARK = " A delete needs room as well, for the mark that it leaves."
_FULL: Final = {
    "maximum bytes exceeded": "The bucket is full (JetStream error {code}): its stream's max_bytes "
    "is reached. Raise it, or delete what is no longer needed." + _MARK,
    "maximum messages exceeded": "The bucket is full (JetStream error {code}): its stream's "
    "max_msgs is reached. Raise it, or delete what is no longer needed." + _MARK,
    "maximum messages per subject exceeded": "The key has as many versions as the bucket keeps "
    "(JetStream error {code}), and the stream refuses further ones (discard_new_per_subject). "
    "Turn that off, raise max_msgs_per_subject, or delete the key.",
    "no space left": "nats-server's disk is full (JetStream error {code}). Make room on it."
    + _MARK,
}
"""What 10077 says in words: it stands for whatever keeps a stream from storing a message."""

_NOT_STORED = (
    "The bucket could not store the value (JetStream error {code}): a limit of it is reached, or "
    "nats-server cannot write to its disk. Look at nats-server's log and the stream's limits."
)
_ACCOUNT_LIMIT = (
    "The NATS account's JetStream limits do not allow it (JetStream error {code}). Raise the "
    "account's limits of storage, or delete what it no longer needs."
)
_SERVER_LIMIT = (
    "nats-server has no JetStream resources left (JetStream error {code}). Raise max_file_store, "
    "or make room on its disk."
)
_SERVER_MEMORY = (
    "nats-server has no JetStream memory left (JetStream error {code}). Raise max_memory_store, or "
    "keep the bucket on disk."
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

_STORE_FAILED: Final = 10077

_DISABLED: Final = frozenset({10039, 10076})
"""For the account, and for the server."""

_OFFLINE = (
    "The bucket's stream is offline on this nats-server (JetStream error {code}). Look at its log: "
    "its disk or version may not suit the stream."
)
_TEMPORARY: Final = {
    10004: _CLUSTER,
    10006: _CLUSTER,
    10007: _CLUSTER,
    10008: _CLUSTER,
    10009: _CLUSTER,
    10041: _CLUSTER,
    10118: _OFFLINE,
    10158: "Another write of the same message is under way (JetStream error {code}). Try again.",
    10163: "Another write to the key is under way (JetStream error {code}). Try again.",
    10167: "JetStream has more requests than it takes at a time (JetStream error {code}). Try "
    "again, and look for the client that sends them.",
    10194: _OFFLINE,
}
_NOT_MADE = (
    "nats-server could not make the bucket's stream (JetStream error {code}). Look at its log, its "
    "disk and its store_dir."
)
_LASTING: Final = {
    10002: _ACCOUNT_LIMIT,
    10005: _NO_PEERS,
    10023: _SERVER_LIMIT,
    10027: "The NATS account may have no further stream (JetStream error {code}). Raise its limit "
    "of streams, or delete one.",
    10028: _SERVER_MEMORY,
    10035: "nats-server does not know this NATS account (JetStream error {code}). Check the "
    "account's JWT on the server.",
    10049: _NOT_MADE,
    10051: _NOT_MADE,
    10047: _SERVER_LIMIT,
    10052: "nats-server does not take the bucket's configuration (JetStream error {code}). Check "
    "NATS_KV_HISTORY and NATS_KV_REPLICAS, and nats-server's log.",
    10053: _ACCOUNT_LIMIT,
    10054: "The value is larger than the bucket takes in one message (JetStream error {code}). "
    "Raise the stream's max_msg_size, or store a smaller value.",
    10058: "There is a stream of the bucket's name with another configuration (JetStream error "
    "{code}). Use it as it is, or choose another NATS_KV_BUCKET.",
    10060: "The bucket's subjects are stored by a stream of another name (JetStream error {code}): "
    "it is fed from elsewhere. Write to the bucket that it is fed from.",
    10065: "Another stream of the account already holds the bucket's subjects (JetStream error "
    "{code}). Choose another NATS_KV_BUCKET, or delete that stream.",
    10074: _REPLICAS,
    10077: _NOT_STORED,
    10096: "The bucket's stream is being removed or is broken (JetStream error {code}). Look at "
    "nats-server's log.",
    10097: "The message's headers are larger than nats-server takes (JetStream error {code}). "
    "Report it.",
    10109: "The bucket's stream is sealed, so nothing can be written (JetStream error {code}). "
    "Write to another bucket.",
    10111: "The bucket's stream does not let values be erased (JetStream error {code}). Set its "
    "allow_rollup_hdrs, as every KV bucket has it.",
    10117: "The bucket has more keys than JetStream lists (JetStream error {code}). Split it.",
    10120: "The NATS account has no JetStream limits for this number of replicas (JetStream error "
    "{code}). Give it a tier for that, or change NATS_KV_REPLICAS.",
    10113: "The NATS account requires a size limit (max_bytes) for each stream (JetStream error "
    "{code}). Make the bucket yourself, with --max-bucket-size.",
    10122: "The bucket asks for more bytes than the NATS account allows a stream (JetStream error "
    "{code}). Raise the account's max_stream_bytes.",
}


def error_of(code: int | None, description: str | None = None) -> UpstreamError | None:
    """Return what an `err_code` means; None if this table does not have it. `description`: the
    server's own words, of which only what is known here is looked for, and nothing is passed on.
    """
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
        words = (description or "").lower() if code == _STORE_FAILED else ""
        full = [text for said, text in _FULL.items() if said in words]
        advice = (full or [_LASTING[code]])[0].format(code=code)
        return UpstreamError(advice, reason=reasons.JETSTREAM_REFUSED)
    return None
