"""Where unexpected failures go, so that an operator can report and correct them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class FaultLog(Protocol):
    """Takes exceptions that have no typed error of their own."""

    @abstractmethod
    def unexpected(self, error: BaseException, request_id: str) -> None:
        """Keep the error's type and stack, never its text or locals: both may hold a secret."""
