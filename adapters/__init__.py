"""The real implementations of the ports, one folder a technology."""
