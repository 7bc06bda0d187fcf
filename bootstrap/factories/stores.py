"""Secret stores, one function each.

Only the store that is configured is loaded: an HTTP client with all that it brings is no small part
of a start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.crypto.control_messages import ControlCodec
    from adapters.nats.client import SteadyClient
    from bootstrap.server_keys import ServiceKeys
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreParts
    from ports.clock import Clock


def infisical_store(
    settings: Settings, client: SteadyClient, codec: ControlCodec, clock: Clock
) -> StoreParts:
    """Build the Infisical store; over NATS its processes only warn each other.

    Raises:
        SettingsError: a setting cannot work.
    """
    from bootstrap.factories.infisical import build_infisical  # noqa: PLC0415  see above

    return build_infisical(settings, client, codec, clock)


def nats_kv_store(
    settings: Settings, client: SteadyClient, keys: ServiceKeys, clock: Clock
) -> StoreParts:
    """Build the NATS KV store, over the connection that requests come by.

    Raises:
        SettingsError: there is no key for the values.
    """
    from bootstrap.factories.nats_kv import build_nats_kv  # noqa: PLC0415  see above

    return build_nats_kv(settings, client, keys, clock)
