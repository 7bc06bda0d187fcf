"""What a bucket's configuration means for secrets, where it is not what an operator expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.js.api import StreamConfig

MIRROR: Final = (
    "A mirror of this bucket (mirror_direct) answers direct reads, also with values that were "
    "erased here. Reads go through the stream's leader from now on. Turn mirror_direct off."
)


def advice_on(config: StreamConfig) -> Iterator[str]:
    """Yield what an operator should know about a bucket that another tool made."""
    keeps_history = config.max_msgs_per_subject != 1
    if config.allow_msg_ttl and keeps_history and not config.subject_delete_marker_ttl:
        yield (
            "It keeps several versions and allows per-message TTLs without delete markers: when "
            "the newest value's TTL ends, the value before it is served again. Set "
            "subject_delete_marker_ttl, or keep one version."
        )
    if config.sources and not config.allow_msg_ttl:
        yield (
            "It is copied from another stream and allows no TTLs: it keeps values whose TTL has "
            "ended there. Allow per-message TTLs on both."
        )
    if config.republish is not None:
        yield (
            "It republishes its values: a bucket that is fed so never gets the writes of this "
            "service, which name their stream. Write to the bucket that is served."
        )
    if config.max_age:
        yield (
            f"Its values are removed {config.max_age:.0f} seconds after they were written "
            "(max_age), and are then not found. Set max_age to 0 for secrets that must last."
        )
    bounded = any((limit or -1) > 0 for limit in (config.max_msgs, config.max_bytes))
    if bounded and config.discard != DiscardPolicy.NEW:
        yield (
            "When it is full, the oldest values are removed for new ones, whichever keys they "
            "belong to. Set its discard policy to new."
        )
    if config.storage == StorageType.MEMORY:
        yield (
            "It is kept in memory: its values are gone once the nats-servers that hold it have "
            "stopped. Keep it on disk (storage file)."
        )
    if config.retention not in {None, RetentionPolicy.LIMITS}:
        yield (
            "Its retention is not by limits, so values are removed once consumers have read them, "
            "or at once where there are none. Make a bucket with limits retention."
        )
