"""Whether the bucket is there and holds what this service can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.nats_kv.bucket import Bucket
from adapters.nats_kv.entry import Operation
from adapters.nats_kv.vault import Vault
from domain.model.errors import StoreUnavailable, UpstreamError
from ports.store_check import StoreCheck, StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from nats.aio.client import Client

    from adapters.nats_kv.settings import NatsKvSettings
    from ports.clock import Clock
    from ports.key_exchange import XKeyPair

_SAMPLE = 16


class NatsKvCheck(StoreCheck):
    """Finds the bucket, making it if allowed, and opens one of its newest values."""

    def __init__(
        self, *, client: Client, config: NatsKvSettings, encryption_xkey: XKeyPair, clock: Clock
    ) -> None:
        self._bucket = Bucket(client, config, clock)
        self._vault = Vault(encryption_xkey)
        self._config = config
        self._clock = clock

    @override
    async def check(self) -> None:
        """Check as the port says; a bucket without values passes.

        A few values that do not open may be somebody's mistake; if none of the newest opens, the
        encryption xkey is the wrong one.
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
        deadline = self._clock.monotonic() + self._config.operation_seconds
        await self._bucket.ensure(deadline)
        unreadable: UpstreamError | None = None
        for entry in await self._bucket.newest(_SAMPLE, deadline):
            if entry.operation is not Operation.PUT:
                continue
            try:
                self._vault.open(entry.sealed)
            except UpstreamError as error:
                unreadable = error
            else:
                return
        if unreadable is not None:
            raise unreadable
