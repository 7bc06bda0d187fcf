"""The agent that keeps directories of secrets in step with the stores, and its guardian."""
