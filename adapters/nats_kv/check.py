"""Whether the bucket is there, is made for secrets, and holds what this service can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType
from typing_extensions import override

from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.value_cipher import ValueCipher, check_all, check_newest
from domain.model.errors import StoreUnavailable, UpstreamError
from ports.store_check import StoreCheck, StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.aio.client import Client
    from nats.js.api import StreamConfig

    from adapters.nats_kv.settings import NatsKvSettings
    from adapters.nats_kv.value_cipher import KeyCheck
    from ports.clock import Clock
    from ports.key_exchange import XKeyPair

_log = structlog.get_logger()


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


class NatsKvCheck(StoreCheck):
    """Finds the bucket, making it at first if allowed, and opens its values.

    At first all values, a thousand at most, later the newest.
    """

    def __init__(
        self, *, client: Client, config: NatsKvSettings, encryption_xkey: XKeyPair, clock: Clock
    ) -> None:
        self._bucket = Bucket(client, config, clock)
        self._cipher = ValueCipher(encryption_xkey)
        self._config = config
        self._known: KeyCheck | None = None
        self._told: frozenset[str] = frozenset()

    @override
    async def check(self) -> None:
        """Check as the port says; a bucket without values passes.

        Values that do not open are counted in a warning, and all others are served. If no value
        opens, the encryption xkey is another one than the values were written with.
        """
        try:
            await self._check()
        except StoreUnavailable as error:
            failure: Exception = StoreUnreachableError(error.advice)
        except UpstreamError as error:
            failure = StoreMisconfiguredError(error.advice)
        else:
            return
        raise failure

    async def _check(self) -> None:
        deadline = self._bucket.deadline()
        if self._known is None:
            # A bucket that goes later was removed: an empty one in its place would hide the loss.
            await self._bucket.ensure(deadline)
        advice = frozenset(advice_on(await self._bucket.configuration(deadline)))
        for text in sorted(advice - self._told):
            _log.warning("nats_kv.bucket_weakness", bucket=self._config.bucket, advice=text)
        self._told = advice
        look = check_all if self._known is None else check_newest
        found = await look(self._bucket, self._cipher, deadline)
        if found.none_opens:
            raise UpstreamError(
                f"The bucket {self._config.bucket} holds values, and none of the {found.looked_at} "
                "looked at opens with the encryption xkey. Check that ENCRYPTION_XKEY_SEED, or "
                "ENCRYPTION_XKEY_SEED_FILE, is the seed they were written with.",
                reason="no_value_readable",
            )
        if found.unreadable and found != self._known:
            _log.warning(
                "nats_kv.values_unreadable",
                bucket=self._config.bucket,
                unreadable=found.unreadable,
                looked_at=found.looked_at,
                advice="These values were sealed with another key, and requests for them are "
                "refused; all others are served. Write them again, or delete them.",
            )
        self._known = found
