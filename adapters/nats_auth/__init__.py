"""NATS accounts, users and permissions for the service, its people, and wasmCloud's hosts."""
