"""The paths of the HTTP API, with every segment percent-encoded.

Raw "." and ".." and doubled slashes are answered by a redirect that may lead into another mount,
"%2F" is a slash, and a slash at the end of a key is an error 500 (measured); `addressing` lets none
of them through, and here nothing but unreserved characters stays unencoded.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from adapters.vault.mounts import KvVersion

RENEW_SELF = "/v1/auth/token/renew-self"
WRAPPING_LOOKUP = "/v1/sys/wrapping/lookup"
UNWRAP = "/v1/sys/wrapping/unwrap"


@lru_cache(maxsize=4096)
def secret_path(mount: str, kv_version: KvVersion, path: str) -> str:
    """Return where a secret is read.

    Args:
        mount: the key-value engine's path, in plain form.
        kv_version: the engine's.
        path: the secret's canonical path, "/" first.
    """
    below = "data/" if kv_version == 2 else ""  # noqa: PLR2004  the second version has this part
    return f"/v1/{_encoded(mount)}/{below}{_encoded(path.removeprefix('/'))}"


def mount_path(mount: str) -> str:
    """Return where every token with a right in an engine can read its kind and version."""
    return f"/v1/sys/internal/ui/mounts/{_encoded(mount)}"


def login_path(mount: str) -> str:
    """Return where an auth method logs in."""
    return f"/v1/{inline_login_path(mount)}"


def inline_login_path(mount: str) -> str:
    """Return the same as the header of an inline authentication has it: without "/v1/"."""
    return f"auth/{_encoded(mount)}/login"


def _encoded(path: str) -> str:
    return "/".join(quote(segment, safe="") for segment in path.split("/"))
