"""A secret's key read as a path: the part of its meaning that every store shares."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.model.errors import InvalidRequest

MAX_KEY_LENGTH = 1024

_UNUSABLE = re.compile("[\0\ud800-\udfff]")


class KeyPath(NamedTuple):
    """`payments/API_KEY` taken apart.

    Attributes:
        absolute: the key began with "/", so it does not stand below the store's configured folder.
        folders: the folders' names, outermost first.
        name: the secret's own name, never empty.
    """

    absolute: bool
    folders: tuple[str, ...]
    name: str

    def below(self, base: tuple[str, ...]) -> tuple[str, ...]:
        """Return the folders from the root, with `base` in front unless the key is absolute."""
        return self.folders if self.absolute else (*base, *self.folders)


def parse_key(key: str) -> KeyPath:
    """Read a key, refusing every spelling that could mean a second place.

    Raises:
        InvalidRequest: empty, too long, without a name, with an empty part, with ".", ".." or "*"
            in the path, with NUL, or text that is no Unicode.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise InvalidRequest(
            f"The key must have 1 to {MAX_KEY_LENGTH} characters; name one secret.",
            reason="key_length",
        )
    if _UNUSABLE.search(key):
        raise InvalidRequest(
            "The key holds NUL or broken Unicode; write the plain name.", reason="key_characters"
        )
    *folders, name = key.removeprefix("/").split("/")
    if name in {"", ".", ".."}:
        raise InvalidRequest("The key must end in a secret's name.", reason="key_without_name")
    if any(part in {"", ".", ".."} or "*" in part for part in folders):
        raise InvalidRequest(
            'The key\'s folders must not be empty, ".", ".." or hold "*"; write the plain path.',
            reason="key_folder",
        )
    return KeyPath(absolute=key.startswith("/"), folders=tuple(folders), name=name)


def parse_folder(path: str) -> tuple[str, ...]:
    """Read an absolute folder such as `/payments` or `/`; one trailing slash is dropped.

    Raises:
        InvalidRequest: it is not absolute, or `parse_key` would refuse a key inside it.
    """
    if not path.startswith("/"):
        raise InvalidRequest('A folder must begin with "/".', reason="folder_not_absolute")
    return parse_key(f"{path.removesuffix('/')}/name").folders
