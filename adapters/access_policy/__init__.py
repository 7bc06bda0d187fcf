"""The access policy file: read, watched, explained and drafted."""
