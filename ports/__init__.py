"""What the core needs from the world: one small Protocol a file."""
