"""What other distributions may import of wasmcloud-secrets: `extension` and `testing`."""

OWNER = "wasmcloud-secrets"
"""Tells this package from another distribution's of the same name."""
