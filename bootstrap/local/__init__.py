"""A NATS server on this machine, for the demo, for trying things out and for tests."""
