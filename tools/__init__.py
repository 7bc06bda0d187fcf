"""What the project checks itself with; none of it is installed with the service."""
