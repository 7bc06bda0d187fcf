"""What every secret store does, as plug-ins of other distributions test it too."""

from wasmcloud_secrets.testing.secret_store import CALLER, OUTAGE_TEXT, SecretStoreContract

__all__ = ["CALLER", "OUTAGE_TEXT", "SecretStoreContract"]
