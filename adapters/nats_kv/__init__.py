"""The secret store that keeps sealed values in a NATS JetStream KV bucket."""
