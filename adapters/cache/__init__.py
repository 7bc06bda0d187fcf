"""The secret store port, decorated: answers kept for seconds, sealed, and asked for once."""
