"""Kubernetes Secrets as a store, read from the API server over plain HTTP/1.1."""
