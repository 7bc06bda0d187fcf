"""Sealed requests over plain HTTP, on this machine alone."""
