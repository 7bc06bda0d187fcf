"""Single values of the policy file: each reader notes what is wrong and returns None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.access_policy.spot import suggestion
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from domain.model.identity import AccountKey, IdentityKind, SubjectKey
from domain.model.patterns import InvalidPatternError, PathPattern, TextPattern

if TYPE_CHECKING:
    from adapters.access_policy.spot import Spot

FILL_IN = "FILL-IN"
"""What drafts write where only a person can tell; a file that still holds it is refused."""

MAX_REVISION = 2**31 - 1
"""wascap's `rev` is a signed 32-bit number."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_HASH = re.compile(r"[0-9A-F]{64}")


def name(spot: Spot) -> str | None:
    """Read a name or another text that must hold something."""
    text = spot.text()
    if text == "":
        spot.wrong("this text is empty; write one, or remove it")
        return None
    return text


def path_pattern(spot: Spot) -> PathPattern | None:
    """Read a pattern on the canonical path."""
    text = spot.text()
    if text is None:
        return None
    try:
        return PathPattern(text)
    except InvalidPatternError as error:
        advice = str(error)
    hint = ""
    if not text.startswith("/"):
        hint = "; the path is the one that the audit record shows, whole and from its root"
    spot.wrong(f"this is no pattern of keys: {advice}{hint}")
    return None


def text_pattern(spot: Spot) -> TextPattern | None:
    """Read a pattern on a name or tag."""
    text = spot.text()
    if text is None:
        return None
    try:
        return TextPattern(text)
    except InvalidPatternError as error:
        advice = str(error)
    spot.wrong(f"this is no pattern: {advice}")
    return None


def account_key(spot: Spot) -> AccountKey | None:
    """Read the public key of an account."""
    text = _key(spot, (KeyKind.ACCOUNT,), "an account's public key (A…)")
    return None if text is None else AccountKey(text)


def entity_key(spot: Spot) -> SubjectKey | None:
    """Read the public key of a component or provider."""
    kinds = (KeyKind.COMPONENT, KeyKind.PROVIDER)
    text = _key(spot, kinds, "the public key of a component (M…) or provider (V…)")
    return None if text is None else SubjectKey(text)


def host_key(spot: Spot) -> str | None:
    """Read the public key of a host."""
    return _key(spot, (KeyKind.HOST,), "a host's public key (N…)")


def kind(spot: Spot) -> IdentityKind | None:
    """Read "component" or "provider"."""
    text = spot.text()
    kinds = (IdentityKind.COMPONENT, IdentityKind.PROVIDER)
    if text is None or text in kinds:
        return None if text is None else IdentityKind(text)
    spot.wrong(f'write "component" or "provider".{suggestion(text, kinds)}')
    return None


def artifact_hash(spot: Spot) -> str | None:
    """Read the hash that a component's token pins."""
    text = spot.text()
    if text is None or _HASH.fullmatch(text):
        return text
    spot.wrong("a hash is 64 hexadecimal digits in capitals; copy it from the token")
    return None


def revision(spot: Spot) -> int | None:
    """Read the least revision."""
    text = spot.text()
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and int(text) <= MAX_REVISION:
        return int(text)
    spot.wrong(f"write a whole number from 0 to {MAX_REVISION}")
    return None


def age(spot: Spot) -> float | None:
    """Read a time such as "30d", in seconds."""
    text = spot.text()
    if text is None:
        return None
    if match := _AGE.fullmatch(text):
        return float(int(match[1]) * _SECONDS[match[2]])
    spot.wrong("write a whole number above 0 and its unit (s, m, h or d), such as 30d")
    return None


def _key(spot: Spot, kinds: tuple[KeyKind, ...], what: str) -> str | None:
    text = spot.text()
    if text is None:
        return None
    if text.startswith(FILL_IN):
        spot.wrong(f"this is still to be filled in; write {what}")
        return None
    try:
        found = decode_public(text)[0]
    except InvalidNKeyError as error:
        advice = f" {error}"
    else:
        if found in kinds:
            return text
        advice = f" This is a key of kind {found.name.lower()}."
    spot.wrong(f"write {what}.{advice}")
    return None
