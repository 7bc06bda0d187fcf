"""What ends the process with exit code 1."""


class ServiceFailedError(Exception):
    """The service cannot go on; the text says what to do and holds no credential."""
