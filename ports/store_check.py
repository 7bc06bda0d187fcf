"""Whether a store will answer with the configuration it was given."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class StoreMisconfiguredError(Exception):
    """Waiting will not help: the text says which setting to change. Holds no credential."""


class StoreUnreachableError(Exception):
    """Waiting may help: the text says what was tried and what to check. Holds no credential."""


class StoreLimitedError(StoreUnreachableError):
    """It is up, and takes no call for this check just now, as its rate limit or the operator's has
    it. Other replicas are no better.
    """


class StoreCheck(Protocol):
    """A live check with the service's own credentials."""

    @abstractmethod
    async def check(self) -> None:
        """Return if the store answers.

        Raises:
            StoreMisconfiguredError: credentials, project, environment or bucket are wrong.
            StoreUnreachableError: it does not answer, or is failing, right now.
            StoreLimitedError: of these, that it could answer if it were not asked this often.
        """
