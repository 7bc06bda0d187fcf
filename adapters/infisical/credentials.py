"""Where the credentials of a login come from: the settings, or a file that others may change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from adapters.infisical import reasons
from adapters.system.secret_file import Kind, SecretFileError, read_secret_file
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.infisical.settings import InfisicalSettings
    from ports.clock import Clock

POLL_SECONDS: Final = 0.5
"""A change is taken up once it was seen twice: half a file may look like a whole secret, and each
wrong one brings the identity nearer to its lockout."""

MAX_FILE_BYTES: Final = 16384

_SETTING = "The file that INFISICAL_CLIENT_SECRET_FILE names"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a machine identity logs in with; never shown."""

    client_id: SecretStr = field(repr=False)
    client_secret: SecretStr = field(repr=False)


class CredentialSource:
    """The settings' client id, with their client secret or one from a file that may change.

    The file is read each time, and not on the loop. The path is followed each time as well, so that
    the swapped links of a mounted Kubernetes secret and a file that replaces another are seen.

    Attributes:
        may_change: whether later reads may give others.
    """

    def __init__(self, settings: InfisicalSettings) -> None:
        self._client_id = SecretStr(settings.client_id or "")
        self._secret = settings.client_secret or SecretStr("")
        self._file = settings.client_secret_file
        self.may_change = self._file is not None

    async def read(self) -> Credentials:
        """Return them as they are now.

        Raises:
            UpstreamError: the file cannot be used just now.
        """
        if self._file is None:
            return Credentials(self._client_id, self._secret)
        found = await asyncio.to_thread(_read, self._file)
        if isinstance(found, SecretStr):
            return Credentials(self._client_id, found)
        raise UpstreamError(found, reason=reasons.CREDENTIALS_UNREADABLE)


async def until_changed(
    source: CredentialSource, used: Callable[[], Credentials | None], clock: Clock
) -> None:
    """Return once the source has given other credentials than those twice in a row.

    Args:
        source: is read every half second; while it cannot be, nothing has changed.
        used: returns what was tried last; None if nothing could be read.
        clock: for the pauses.
    """
    if not source.may_change:
        await asyncio.Event().wait()
    before: Credentials | None = None
    while True:
        await clock.sleep(POLL_SECONDS)
        found: Credentials | None
        try:
            found = await source.read()
        except UpstreamError:
            found = None
        if found is not None and found == before and found != used():
            return
        before = found


def read_client_secret(path: Path) -> SecretStr:
    """Return the client secret that a file holds.

    Raises:
        FileNotFoundError: there is no such file.
        SecretFileError: it cannot be read, or holds no client secret.
    """
    return SecretStr(read_secret_file(path, Kind.OPAQUE, MAX_FILE_BYTES).text)


def _read(path: Path) -> SecretStr | str:
    """Return the secret, or what is wrong with the file."""
    try:
        return read_client_secret(path)
    except FileNotFoundError:
        return f"{_SETTING} is gone; put it back, or check the mount."
    except SecretFileError as error:
        return f"{_SETTING} {error}"
