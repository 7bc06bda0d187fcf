"""Mutated requests against the whole core; not part of the tests that run on every change."""
