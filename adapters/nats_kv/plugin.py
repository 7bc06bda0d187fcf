"""NATS KV as a plug-in: secrets in a JetStream bucket, over the transport's connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.nats_kv.settings import DEFAULT_BUCKET, NatsKvSettings
from ports.store_plugin import StoreParts, StorePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ports.store_plugin import StoreContext
    from ports.store_shape import StoreShape


class NatsKvPlugin(StorePlugin[NatsKvSettings]):
    """Registered as `nats-kv`."""

    name: ClassVar[str] = "nats-kv"
    title: ClassVar[str] = "NATS KV"
    api_version: ClassVar[int] = 1
    settings = NatsKvSettings

    @override
    def warnings(self, settings: NatsKvSettings) -> Sequence[str]:
        return ()

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.nats_kv.keys import locate, parse_revision  # noqa: PLC0415  if it is chosen
        from adapters.upstream.manifest_shape import ManifestShape  # noqa: PLC0415

        bucket = given.get("bucket", DEFAULT_BUCKET)
        return ManifestShape(partial(locate, bucket=bucket), parse_revision)

    @override
    def build(self, settings: NatsKvSettings, context: StoreContext) -> StoreParts:
        from nats.aio.client import Client  # noqa: PLC0415  loaded if it is chosen

        from adapters.nats_kv.check import NatsKvCheck  # noqa: PLC0415
        from adapters.nats_kv.store import NatsKvSecretStore  # noqa: PLC0415

        client, xkey = context.service(Client), settings.encryption_xkey()
        clock = context.clock
        return StoreParts(
            NatsKvSecretStore(client=client, config=settings, encryption_xkey=xkey, clock=clock),
            NatsKvCheck(client=client, config=settings, encryption_xkey=xkey, clock=clock),
            # It answers within a millisecond or two, and an operator who puts a value expects it.
            cache_ttl_seconds=0.0,
            server=context.transport_server,
        )


PLUGIN: Final = NatsKvPlugin()
