"""The API server's own grammar of names, checked before a URL is built.

An HTTP client resolves ".." and an empty name turns the read of one Secret into the list of all
Secrets of the namespace, values included, so nothing but what matches here reaches a path. None of
these names holds a character that a URL would have to encode.
"""

from __future__ import annotations

import re
from typing import Final

MAX_NAME_LENGTH: Final = 253
"""Of a Secret and of a key inside it."""

MAX_NAMESPACE_LENGTH: Final = 63
MAX_USER_LENGTH: Final = 1024

_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL, re.ASCII)
_SECRET = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
_USER = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def is_namespace(text: str) -> bool:
    """Say whether the text can name a namespace: a lower-case DNS label."""
    return len(text) <= MAX_NAMESPACE_LENGTH and _NAMESPACE.fullmatch(text) is not None


def is_secret_name(text: str) -> bool:
    """Say whether the text can name a Secret: a lower-case DNS subdomain."""
    return len(text) <= MAX_NAME_LENGTH and _SECRET.fullmatch(text) is not None


def is_data_key(text: str) -> bool:
    """Say whether the text can name one value of a Secret; ".." may not begin it."""
    return (
        len(text) <= MAX_NAME_LENGTH
        and _DATA_KEY.fullmatch(text) is not None
        and text != "."
        and not text.startswith("..")
    )


def is_user(text: str) -> bool:
    """Say whether the text can name a user to impersonate: it goes into a header as it is.

    The API server ignores an empty one and runs the request with the service's own rights.
    """
    return len(text) <= MAX_USER_LENGTH and _USER.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Say whether the text can be the resourceVersion of an object in etcd."""
    return _VERSION.fullmatch(text) is not None
