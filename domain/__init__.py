"""The pure core: what a secret request is and how one is answered, without any I/O."""

OWNER = "wasmcloud-secrets"
"""Tells this package from another distribution's of the same name."""
