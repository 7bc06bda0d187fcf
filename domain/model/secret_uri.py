"""The text that stands for a secret where version 2 of wasmCloud takes only values.

    secret://KEY?PROPERTY=VALUE&field=NAME&version=NAME&backend=NAME

KEY is the key as the store takes it, slashes included: `secret://payments/API_KEY`, or absolute,
`secret:///payments/API_KEY`. Everything after "?" may be left out. `field`, `version` and `backend`
are this form's own words; every other name is a policy property of the store. Characters other than
visible ASCII, and those with a meaning here, are written as `%` and two hexadecimal digits for each
byte of UTF-8. "+" is a plus sign. There is no other escape and no second spelling of a part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.key_path import MAX_KEY_LENGTH
from domain.model.messages import MAX_NAME_LENGTH
from domain.model.policy_properties import MAX_PROPERTIES
from domain.model.reference import NO_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME: Final = "secret://"

MAX_URI_LENGTH: Final = 8192
"""Characters of the whole text; longer ones are refused unread."""

_RAW = re.compile(r"[!$'()*+,\-./0-9:;=@A-Z_a-z~]*")
"""Characters that stand for themselves, once the escapes are taken out; "=" not within names."""

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")

_OWN: Final = ("field", "version", "backend")


@dataclass(frozen=True, slots=True)
class SecretUri:
    """One reference, read. `backend`: the name of the backend that is meant; None for the one that
    reads it.
    """

    asked: AskedSecret
    properties: Mapping[str, str] = field(default_factory=lambda: NO_PROPERTIES)
    backend: str | None = None


def mentions_secret(text: str) -> bool:
    """Say whether a text holds the scheme at all, however it is cased."""
    return SCHEME in text.lower()


def parse_secret_uri(text: str) -> SecretUri:
    """Read one reference; the whole text must be one.

    Raises:
        InvalidRequest: it is none. The advice repeats nothing of the text but the names of this
            form, since a value may have been pasted in its place.
    """
    if not text.startswith(SCHEME):
        raise _refused(f"a reference is the whole text and begins with {SCHEME}")
    if len(text) > MAX_URI_LENGTH:
        raise _refused(f"a reference has at most {MAX_URI_LENGTH} characters")
    key_part, question, query = text.removeprefix(SCHEME).partition("?")
    key = _decoded(key_part, "the key", MAX_KEY_LENGTH)
    if not key:
        raise _refused(f"the key is missing after {SCHEME}")
    if question and not query:
        raise _refused('nothing stands after "?"; remove it')
    parts = _parts(query) if query else {}
    own = {name: parts.pop(name, None) for name in _OWN}
    for name, value in own.items():
        if value is not None and len(value) > MAX_NAME_LENGTH:
            raise _refused(f'"{name}" has at most {MAX_NAME_LENGTH} characters')
    if own["version"] == "" or own["backend"] == "":
        raise _refused("a version and a backend have a name; leave the part out for the usual one")
    return SecretUri(
        AskedSecret(key, own["field"], own["version"]),
        MappingProxyType(parts) if parts else NO_PROPERTIES,
        own["backend"],
    )


def _parts(query: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise _refused('after "?" each part is NAME=VALUE, with "&" between them')
        name = _decoded(name, "a name", MAX_NAME_LENGTH)
        if name in parts:
            raise _refused("one name stands twice; keep one of the two")
        if len(parts) == MAX_PROPERTIES + len(_OWN):
            raise _refused(f"it has at most {MAX_PROPERTIES} properties")
        parts[name] = _decoded(value, "a value", MAX_URI_LENGTH)
    return parts


def _decoded(text: str, what: str, max_length: int) -> str:
    # Split by the escapes: the digits of each are every second piece.
    pieces = _ESCAPE.split(text)
    if not all(_RAW.fullmatch(piece) for piece in pieces[::2]):
        raise _refused(
            f"{what} holds a character that must be written as % and two hexadecimal digits, such "
            "as %20 for a space and %25 for a percent sign"
        )
    raw = b"".join(
        bytes.fromhex(piece) if n % 2 else piece.encode("ascii") for n, piece in enumerate(pieces)
    )
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = None
    if decoded is None or "\0" in decoded:
        raise _refused(f"{what} is not UTF-8 text once its % escapes are read")
    if len(decoded) > max_length:
        raise _refused(f"{what} has at most {max_length} characters")
    return decoded


def _refused(advice: str) -> InvalidRequest:
    return InvalidRequest(
        f"This is no reference to a secret: {advice}.", reason="secret_uri_malformed"
    )
