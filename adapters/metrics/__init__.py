"""What the service counts and measures, in Prometheus' terms, on a registry of its own."""
