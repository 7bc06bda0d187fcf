"""wasmCloud 2: the control API between its operator and its hosts, and the relay on it."""
