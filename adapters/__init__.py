"""The real implementations of the ports, one folder a technology."""

OWNER = "wasmcloud-secrets"
"""Tells this package from another distribution's of the same name."""
