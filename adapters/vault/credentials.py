"""Texts that logins present: from the settings, or from a file that others may change."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Final, Protocol, final

from pydantic import SecretStr
from typing_extensions import override

from adapters.system.files import UnsafeFileError, read_file
from adapters.vault import reasons
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES: Final = 64 * 1024

_UNDECODABLE = "\N{REPLACEMENT CHARACTER}"


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
    """A file, read anew each time and not on the event loop.

    Its path is followed anew as well, so that the swapped links of a mounted Kubernetes volume and
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


def _read(path: Path) -> SecretStr | str:
    """Return the text, or what is wrong with the file."""
    try:
        content = read_file(path, MAX_FILE_BYTES + 1).data
    except FileNotFoundError:
        return "is gone; put it back, or check the mount."
    except UnsafeFileError as error:
        return f"is not read: {error.strerror}."
    except OSError as error:
        kind = errno.errorcode.get(error.errno or 0, "an unknown error")
        return f"cannot be read ({kind}); check its mode, its owner and the mount."
    text = content.decode("utf-8", "replace").strip()
    if not text:
        return "is empty; write the text into it."
    if len(content) > MAX_FILE_BYTES or _UNDECODABLE in text or not text.isprintable():
        return "holds more than one text; write that alone into it."
    return SecretStr(text)
