"""Sinks of the audit trail beside the log: a file, a JetStream stream, several at once."""
