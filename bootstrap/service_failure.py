"""What ends the process with exit code 1 or 2."""


class ServiceFailedError(Exception):
    """The service cannot go on; the text says what to do and holds no credential. Exit code 1."""


class ServiceMisconfiguredError(ServiceFailedError):
    """What is configured cannot work, so that starting again does not help. Exit code 2.

    Args:
        advices: what to do, one text for each problem.
    """

    def __init__(self, *advices: str) -> None:
        super().__init__("\n".join(advices))
        self.advices = advices
