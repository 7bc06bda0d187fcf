"""The bearer token: a file that the kubelet replaces, a fixed text, or none at all."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Final, Protocol, final

import structlog
from pydantic import SecretStr
from typing_extensions import override

from adapters.kubernetes import reasons
from adapters.system.secret_file import Kind, SecretFileError, read_secret_file
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from pathlib import Path

    from ports.clock import Clock

REREAD_SECONDS: Final = 10.0
"""The kubelet replaces a token at 80 % of its life, which is an hour by default."""

MAX_TOKEN_BYTES: Final = 64 * 1024

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]+", re.ASCII)
_log = structlog.get_logger()


class TokenSource(Protocol):
    """Says which bearer token a call carries."""

    @abstractmethod
    async def current(self) -> SecretStr | None:
        """Return the token; None if calls carry none.

        Raises:
            UpstreamError: there is none to be had just now.
        """

    def refused(self) -> bool:
        """Take note that the server refused the token, and say whether a second call may help."""
        return False


@final
class FixedToken(TokenSource):
    """A token that the configuration holds.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, token: SecretStr) -> None:
        self._token = checked(token.get_secret_value())

    @override
    async def current(self) -> SecretStr:
        return self._token


@final
class TokenFile(TokenSource):
    """A token in a file that is read again and again.

    The path is opened each time: the kubelet swaps a link to the whole folder, so a file once
    opened is never written to. While the file cannot be read the former token serves on.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._token: SecretStr | None = None
        self._read_at: float | None = None

    @override
    async def current(self) -> SecretStr:
        now = self._clock.monotonic()
        token = self._token
        if token is not None and self._read_at is not None and now < self._read_at + REREAD_SECONDS:
            return token
        failure = ""
        try:
            self._token = await asyncio.to_thread(_read, self._path)
        except ValueError as error:
            failure = str(error)
        if self._token is None:
            raise UpstreamError(failure, reason=reasons.TOKEN_UNREADABLE)
        if failure:
            _log.warning("kubernetes.token_file_unreadable", advice=failure)
        self._read_at = now
        return self._token

    @override
    def refused(self) -> bool:
        self._read_at = None
        return True


def checked(token: str) -> SecretStr:
    """Return a token without the blanks around it.

    The API server takes an empty one, or one with a blank too many, for no credentials at all and
    answers as it does for a missing permission, so neither is ever sent.

    Raises:
        ValueError: it is empty, or no token; the text holds nothing of it.
    """
    text = token.strip()
    if not _TOKEN.fullmatch(text):
        problem = "holds more than a token" if text else "is empty"
        raise ValueError(
            f"The Kubernetes token {problem}; check the token file or the projected volume."
        )
    return SecretStr(text)


def _read(path: Path) -> SecretStr:
    try:
        return SecretStr(read_secret_file(path, Kind.TOKEN, MAX_TOKEN_BYTES).text)
    except FileNotFoundError:
        problem = "is gone; check its path and the projected volume."
    except SecretFileError as error:
        problem = str(error)
    raise ValueError(f"The Kubernetes token file {problem}")
