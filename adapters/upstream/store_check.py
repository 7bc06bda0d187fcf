"""The check of a store that is reached over HTTP: bounded in time, with one verdict."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from domain.model.errors import RateLimited, SecretsError, StoreBusy
from ports.store_check import (
    StoreCheck,
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)

if TYPE_CHECKING:
    from ports.clock import Clock

CHECK_SECONDS: Final = 8.0
"""As long as a request has, unless it is configured otherwise."""


class UpstreamCheck(StoreCheck):
    """Asks the store once. `misconfigured`: the reasons that waiting does not correct."""

    misconfigured: ClassVar[frozenset[str]]

    def __init__(self, server: str, url_setting: str, clock: Clock) -> None:
        """Prepare the check.

        Args:
            server: the store's name and address, such as "Vault at https://vault.example.com".
            url_setting: the setting that holds the address, or what else to look at.
        """
        self._server = server
        self._url_setting = url_setting
        self._clock = clock

    @abstractmethod
    async def verdict(self, deadline: float) -> Exception | None:
        """Ask the store, and return what is wrong; None if nothing is. `deadline`: monotonic
        seconds; the call is cancelled then.

        Raises:
            SecretsError: becomes what `failure` makes of it.
        """

    @override
    async def check(self) -> None:
        deadline = self._clock.monotonic() + CHECK_SECONDS
        verdict: Exception | None = StoreUnreachableError(
            f"{self._server} did not answer within {CHECK_SECONDS:.0f} seconds; check its health "
            f"and {self._url_setting}."
        )
        try:
            async with self._clock.timeout_at(deadline):
                verdict = await self.verdict(deadline)
        except TimeoutError:
            pass
        except SecretsError as error:
            verdict = self.failure(error)
        # Raised out here, so that no error has another one as its context.
        if verdict is not None:
            raise verdict

    def failure(self, error: SecretsError) -> Exception | None:
        """Return what an error of the store means to the check; None where it is none."""
        if error.reason in self.misconfigured:
            return StoreMisconfiguredError(error.advice)
        # Busy is a rate limit too, but a store that is too slow for all requests is not answering.
        is_limited = isinstance(error, RateLimited) and not isinstance(error, StoreBusy)
        kind = StoreLimitedError if is_limited else StoreUnreachableError
        return kind(f"{self._server}: {error.advice}")
