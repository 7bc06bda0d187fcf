"""The relay for wasmCloud 2 as a process, and the workloads that are started through it."""
