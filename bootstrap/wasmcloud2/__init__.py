"""Services for wasmCloud 2: the relay with the workloads behind it, the endpoint for plug-ins."""
