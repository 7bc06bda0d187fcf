"""What every transport and its channel do, as plug-ins of other distributions test it too."""

from wasmcloud_secrets.testing.transport import HOST_XKEY, LONG, TransportContract

__all__ = ["HOST_XKEY", "LONG", "TransportContract"]
