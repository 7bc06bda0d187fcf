"""What a bucket's configuration means for secrets: values that outlive their end, or never arrive.

Scripts in `findings/` show each on a real nats-server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
