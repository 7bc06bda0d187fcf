"""Suites that a plug-in's own tests run, so that it does what the service relies on.

They are classes to subclass in a test module, and need pytest and pytest-asyncio in its mode
"auto".
"""

import pytest

for _suite in ("peer_bus", "plugin", "secret_store", "transport"):
    pytest.register_assert_rewrite(f"wasmcloud_secrets.testing.{_suite}")

from wasmcloud_secrets.testing.contexts import (  # noqa: E402  once their asserts are rewritten
    FakeStoreContext,
    FakeTransportContext,
)
from wasmcloud_secrets.testing.peer_bus import PeerBusContract  # noqa: E402  as above
from wasmcloud_secrets.testing.plugin import (  # noqa: E402  as above
    StorePluginContract,
    TransportPluginContract,
)
from wasmcloud_secrets.testing.secret_store import (  # noqa: E402  as above
    OUTAGE_TEXT,
    SecretStoreContract,
)
from wasmcloud_secrets.testing.transport import TransportContract  # noqa: E402  as above

__all__ = [
    "OUTAGE_TEXT",
    "FakeStoreContext",
    "FakeTransportContext",
    "PeerBusContract",
    "SecretStoreContract",
    "StorePluginContract",
    "TransportContract",
    "TransportPluginContract",
]
