"""HTTP/1.1 to one server: connections, the pool of them, and an engine on top."""
