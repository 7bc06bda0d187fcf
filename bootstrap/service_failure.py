"""What ends the process with exit code 1 or 2."""

from adapters.admin_http.address import AdminHttpError
from ports.store_check import StoreMisconfiguredError
from ports.transport_plugin import TransportFailedError


class ServiceFailedError(Exception):
    """The service cannot go on; the text says what to do and holds no credential. Exit code 1."""


class ServiceMisconfiguredError(ServiceFailedError):
    """What is configured cannot work, so that starting again does not help. Exit code 2. `advices`:
    what to do, one text for each problem.
    """

    def __init__(self, *advices: str) -> None:
        super().__init__("\n".join(advices))
        self.advices = advices


def failure_of(error: BaseException) -> BaseException:
    """Return what ends the process, with the exit code that the error means."""
    match error:
        case StoreMisconfiguredError():
            return ServiceMisconfiguredError(str(error))
        case AdminHttpError() if not error.may_pass:
            return ServiceMisconfiguredError(str(error))
        case AdminHttpError() | TransportFailedError():
            return ServiceFailedError(str(error))
        case _:
            return error
