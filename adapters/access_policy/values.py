"""Single values of the policy file: each reader notes what is wrong and returns None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from adapters.system.yaml_nodes import suggestion
from domain.model.identity import AccountKey, IdentityKind, SubjectKey
from domain.model.patterns import InvalidPatternError, PathPattern, TextPattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.access_policy.node_reader import NodeReader

FILL_IN = "FILL-IN"
"""What drafts write where only a person can tell; a file that still holds it is refused."""

MAX_REVISION = 2**31 - 1
"""wascap's `rev` is a signed 32-bit number."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_HASH = re.compile(r"[0-9A-F]{64}")

_Pattern = TypeVar("_Pattern")


def name(reader: NodeReader) -> str | None:
    """Read a name or another text that must hold something."""
    text = reader.text()
    if text == "":
        reader.wrong("this text is empty; write one, or remove it")
        return None
    return text


def path_pattern(reader: NodeReader) -> PathPattern | None:
    """Read a pattern on the canonical path."""
    return _pattern(reader, PathPattern, " of keys")


def text_pattern(reader: NodeReader) -> TextPattern | None:
    """Read a pattern on a name or tag."""
    return _pattern(reader, TextPattern, "")


def account_key(reader: NodeReader) -> AccountKey | None:
    """Read the public key of an account."""
    text = _key(reader, (KeyKind.ACCOUNT,), "an account's public key (A…)")
    return None if text is None else AccountKey(text)


def entity_key(reader: NodeReader) -> SubjectKey | None:
    """Read the public key of a component or provider."""
    kinds = (KeyKind.COMPONENT, KeyKind.PROVIDER)
    text = _key(reader, kinds, "the public key of a component (M…) or provider (V…)")
    return None if text is None else SubjectKey(text)


def host_key(reader: NodeReader) -> str | None:
    """Read the public key of a host."""
    return _key(reader, (KeyKind.HOST,), "a host's public key (N…)")


def kind(reader: NodeReader) -> IdentityKind | None:
    """Read "component" or "provider"."""
    text = reader.text()
    kinds = (IdentityKind.COMPONENT, IdentityKind.PROVIDER)
    if text is None or text in kinds:
        return None if text is None else IdentityKind(text)
    reader.wrong(f'write "component" or "provider".{suggestion(text, kinds)}')
    return None


def artifact_hash(reader: NodeReader) -> str | None:
    """Read the hash that a component's token pins."""
    text = reader.text()
    if text is None or _HASH.fullmatch(text):
        return text
    reader.wrong("a hash is 64 hexadecimal digits in capitals; copy it from the token")
    return None


def revision(reader: NodeReader) -> int | None:
    """Read the least revision."""
    text = reader.text()
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and int(text) <= MAX_REVISION:
        return int(text)
    reader.wrong(f"write a whole number from 0 to {MAX_REVISION}")
    return None


def age(reader: NodeReader) -> float | None:
    """Read a time such as "30d", in seconds."""
    text = reader.text()
    if text is None:
        return None
    if match := _AGE.fullmatch(text):
        return float(int(match[1]) * _SECONDS[match[2]])
    reader.wrong("write a whole number above 0 and its unit (s, m, h or d), such as 30d")
    return None


def _pattern(reader: NodeReader, kind: Callable[[str], _Pattern], of_what: str) -> _Pattern | None:
    text = reader.text()
    if text is None:
        return None
    try:
        return kind(text)
    except InvalidPatternError as error:
        advice = str(error)
    if of_what and not text.startswith("/"):
        advice += "; the path is the one that the audit record shows, whole and from its root"
    reader.wrong(f"this is no pattern{of_what}: {advice}")
    return None


def _key(reader: NodeReader, kinds: tuple[KeyKind, ...], what: str) -> str | None:
    text = reader.text()
    if text is None:
        return None
    if text.startswith(FILL_IN):
        reader.wrong(f"this is still to be filled in; write {what}")
        return None
    try:
        found = decode_public(text)[0]
    except InvalidNKeyError as error:
        advice = f" {error}"
    else:
        if found in kinds:
            return text
        advice = f" This is a key of kind {found.name.lower()}."
    reader.wrong(f"write {what}.{advice}")
    return None
