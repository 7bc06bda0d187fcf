"""Composition: settings, containers, lifecycle and the command line."""

OWNER = "wasmcloud-secrets"
"""Tells this package from another distribution's of the same name."""
