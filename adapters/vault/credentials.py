"""Texts that logins present: from the settings, or from a file that others may change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, final

from pydantic import SecretStr
from typing_extensions import override

from adapters.system.secret_file import Kind, SecretFileError, read_secret_file
from adapters.vault import reasons
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES: Final = 64 * 1024


class CredentialSource(Protocol):
    """Gives one text to log in with, as it is now.

    Attributes:
        may_change: whether later reads may give another.
    """

    may_change: bool

    async def read(self) -> SecretStr:
        """Return the text without space around it.

        Raises:
            UpstreamError: there is none to be had just now; the advice says why.
        """
        ...


@final
class FixedText(CredentialSource):
    """A text of the settings."""

    def __init__(self, text: SecretStr) -> None:
        self.may_change = False
        self._text = SecretStr(text.get_secret_value().strip())

    @override
    async def read(self) -> SecretStr:
        return self._text


@final
class TextFile(CredentialSource):
    """A file, read again each time and not on the event loop.

    Its path is resolved again as well, so that the swapped links of a mounted Kubernetes volume and
    a file put in another's place are seen.
    """

    def __init__(self, path: Path, setting: str) -> None:
        """Take the path, and the setting's name for advice."""
        self.may_change = True
        self._path = path
        self._setting = setting

    @override
    async def read(self) -> SecretStr:
        found = await asyncio.to_thread(_read, self._path)
        if isinstance(found, SecretStr):
            return found
        raise UpstreamError(
            f"The file that {self._setting} names {found}", reason=reasons.CREDENTIALS_UNREADABLE
        )


def read_text_file(path: Path) -> SecretStr:
    """Return the text that a file holds.

    Raises:
        FileNotFoundError: there is no such file.
        SecretFileError: it cannot be read, or holds no such text.
    """
    return SecretStr(read_secret_file(path, Kind.OPAQUE, MAX_FILE_BYTES).text)


def _read(path: Path) -> SecretStr | str:
    """Return the text, or what is wrong with the file."""
    try:
        return read_text_file(path)
    except FileNotFoundError:
        return "is gone; put it back, or check the mount."
    except SecretFileError as error:
        return str(error)
