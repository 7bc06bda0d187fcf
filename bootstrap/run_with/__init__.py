"""A command that is run with secrets in its environment: `exec`."""
