"""Composition: settings, containers, lifecycle and the command line."""
