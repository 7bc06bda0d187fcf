"""Directories of one file per secret, kept in step as Kubernetes projects its volumes."""
