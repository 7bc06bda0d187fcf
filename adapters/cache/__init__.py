"""A cache around a store: sealed answers kept for seconds, and single flight."""
