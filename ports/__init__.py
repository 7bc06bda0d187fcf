"""What the core needs from the world: one small Protocol a file."""

OWNER = "wasmcloud-secrets"
"""Tells this package from another distribution's of the same name."""
