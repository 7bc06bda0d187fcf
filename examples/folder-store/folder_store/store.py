"""One file a secret, read whole; its time of change is its version."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from typing_extensions import override

from wasmcloud_secrets.extension import (
    InvalidRequest,
    PolicyError,
    Secret,
    SecretLocation,
    SecretNotFound,
    SecretStore,
    SecretValue,
    StoreCheck,
    StoreMisconfiguredError,
    StoreShape,
    StoreUnavailable,
    parse_key,
)

if TYPE_CHECKING:
    from pathlib import Path

    from wasmcloud_secrets.extension import SecretQuery, SecretReference


class FolderShape(StoreShape):
    """What can be asked for, without looking into the folder."""

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        if reference.properties:
            raise PolicyError(
                "This store knows no policy properties; remove them from the manifest.",
                reason="policy_property_unknown",
            )
        # Refuses empty parts, "..", "*" and NUL, so that no key leads out of the folder.
        key = parse_key(reference.key)
        return SecretLocation("/" + "/".join((*key.folders, key.name)))

    @override
    def check_version(self, version: str) -> None:
        if not (version.isascii() and version.isdigit()):
            raise InvalidRequest("A version is a whole number.", reason="version_malformed")


class FolderSecretStore(FolderShape, SecretStore):
    """Reads below one folder.

    Attributes:
        reads: files read so far.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reads = 0

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        wanted = query.version
        if wanted is not None:
            self.check_version(wanted)
        found = await asyncio.to_thread(self._read, query.location.path)
        if found is None or wanted not in {None, found.version}:
            raise SecretNotFound("No such file, or not in that version; list the folder.")
        return found

    def _read(self, path: str) -> Secret | None:
        file = self._folder / path.removeprefix("/")
        try:
            with file.open("rb") as opened:
                # Of the opened file, which another one may replace while it is read.
                version, content = str(os.fstat(opened.fileno()).st_mtime_ns), opened.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError:
            content = None
        if content is None:
            # Raised out here: a driver's exception must not hang on as the context.
            raise StoreUnavailable("The file cannot be read; check its mode.", reason="file_failed")
        self.reads += 1
        return Secret(version, _value(content))


class FolderCheck(StoreCheck):
    """Says at start, and to probes, whether the folder is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    async def check(self) -> None:
        if not await asyncio.to_thread(self._folder.is_dir):
            raise StoreMisconfiguredError(
                "FOLDER_STORE_PATH names no folder; create it, or check the path and the mount."
            )


def _value(content: bytes) -> SecretValue:
    try:
        return SecretValue(content.decode())
    except UnicodeDecodeError:
        return SecretValue(content)
