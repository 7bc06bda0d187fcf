"""The endpoint for host component plug-ins of wasmCloud 2 as a process."""
