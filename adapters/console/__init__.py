"""What operators see of one replica in a browser: read-only, without a value of any secret."""
