"""Secrets as keys of etcd."""
