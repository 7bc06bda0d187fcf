"""Texts that logins present: from the settings, or from a file that others may change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, final

from pydantic import SecretStr
from typing_extensions import override

from adapters.system.secret_file import Kind, SecretFileError, read_secret_file
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ports.clock import Clock

MAX_FILE_BYTES: Final = 64 * 1024

POLL_SECONDS: Final = 0.5
"""A change is taken up once it was seen twice: half a file may look like a whole secret, and each
wrong one brings the identity nearer to its lockout."""


class CredentialSource(Protocol):
    """Gives one text to log in with, as it is now. `may_change`: whether later reads may give
    another.
    """

    may_change: bool

    async def read(self) -> SecretStr:
        """Return the text without space around it.

        Raises:
            UpstreamError: there is none to be had just now; the advice says why.
        """


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

    def __init__(self, path: Path, setting: str, reason: str) -> None:
        """Take the path, the setting's name for advice, and the `reason` of the errors."""
        self.may_change = True
        self._path = path
        self._setting = setting
        self._reason = reason

    @override
    async def read(self) -> SecretStr:
        found = await asyncio.to_thread(_read, self._path)
        if isinstance(found, SecretStr):
            return found
        raise UpstreamError(f"The file that {self._setting} names {found}", reason=self._reason)


def text_source(
    text: SecretStr | None, file: Path | None, setting: str, reason: str
) -> CredentialSource:
    """Return the source for a text or a file, whichever the settings have."""
    if file is not None:
        return TextFile(file, setting, reason)
    return FixedText(text or SecretStr(""))


async def until_changed(
    source: CredentialSource, used: Callable[[], SecretStr | None], clock: Clock
) -> None:
    """Return once the source has given another text than `used` twice in a row.

    Args:
        source: is read every half second; while it cannot be, nothing has changed.
        used: returns what was tried last; None if nothing could be read.
    """
    if not source.may_change:
        await asyncio.Event().wait()
    before: SecretStr | None = None
    while True:
        await clock.sleep(POLL_SECONDS)
        found: SecretStr | None
        try:
            found = await source.read()
        except UpstreamError:
            found = None
        if found is not None and found == before and found != used():
            return
        before = found


def _read(path: Path) -> SecretStr | str:
    """Return the text, or what is wrong with the file."""
    try:
        return SecretStr(read_secret_file(path, Kind.OPAQUE, MAX_FILE_BYTES).text)
    except FileNotFoundError:
        return "is gone; put it back, or check the mount."
    except SecretFileError as error:
        return str(error)
