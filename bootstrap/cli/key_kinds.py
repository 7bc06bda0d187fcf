"""Kinds of keys as people write them: by name, by first letter, or as nkeys calls them."""

from typing import Final

import typer

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.wascap_claims import IDENTITY_KINDS

KINDS: Final = "xkey (X), account (A), component (M), provider (V), host (N) or user (U)"
SUBJECT_KINDS: Final = "component (M), provider (V) or host (N)"

_KINDS = {
    "xkey": KeyKind.XKEY,
    "curve": KeyKind.XKEY,
    "account": KeyKind.ACCOUNT,
    "component": KeyKind.COMPONENT,
    "module": KeyKind.COMPONENT,
    "provider": KeyKind.PROVIDER,
    "service": KeyKind.PROVIDER,
    "host": KeyKind.HOST,
    "server": KeyKind.HOST,
    "user": KeyKind.USER,
}
_BY_WORD = _KINDS | {kind.value.lower(): kind for kind in _KINDS.values()}


def key_kind(text: str) -> KeyKind:
    """Read a kind of key.

    Raises:
        typer.BadParameter: there is no such kind, or the service and its hosts use none.
    """
    kind = _BY_WORD.get(text.strip().lower())
    if kind is None:
        raise typer.BadParameter(f"Write {KINDS}.")
    return kind


def subject_kind(text: str) -> KeyKind:
    """Read the kind of a key that a token can be for.

    Raises:
        typer.BadParameter: no token is for such a key.
    """
    kind = _BY_WORD.get(text.strip().lower())
    if kind not in IDENTITY_KINDS:
        raise typer.BadParameter(f"Write {SUBJECT_KINDS}.")
    return kind
