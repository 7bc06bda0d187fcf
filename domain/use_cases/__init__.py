"""What the core does, step by step, against the ports."""
