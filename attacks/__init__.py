"""Attacks on a running service under the shipped NATS configurations; see `make attack`."""
