"""Secrets as files in a folder, as Kubernetes mounts them."""
