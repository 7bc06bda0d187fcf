"""The transport that carries requests over NATS."""
