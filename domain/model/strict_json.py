"""JSON as the protocol needs it: UTF-8 only, no duplicate members, no NaN, bounded depth."""

from __future__ import annotations

import json
from typing import Any, NoReturn, final

MAX_DEPTH = 64
"""Deeper documents are refused, so that nothing that walks one can exhaust the stack."""

PEER_BRACKETS = 256
"""Objects and lists that a document sent by a peer may open; a real request opens about five. A
text made of nothing but these takes a hundred times as long to parse as another of its length."""


class MalformedJsonError(ValueError):
    """The text is not acceptable JSON. Carries nothing of the text."""


@final
class NumberText(str):
    """A number, kept in the digits it was written with."""

    __slots__ = ()


def parse_json(
    text: str | bytes, *, numbers_as_text: bool = False, max_brackets: int | None = None
) -> object:
    """Parse one JSON document.

    Args:
        text: the document; bytes must be UTF-8.
        numbers_as_text: give `NumberText` instead of int and float.
        max_brackets: how many "[" and "{" there may be, those inside texts included; counted
            before anything is parsed. None for no bound.

    Raises:
        MalformedJsonError: not UTF-8, not JSON, deeper than MAX_DEPTH, with more brackets, a number
            too long, NaN or Infinity, or an object that names a member twice.
    """
    try:
        plain = text if isinstance(text, str) else text.decode("utf-8")
        brackets = plain.count("[") + plain.count("{")
        if max_brackets is None or brackets <= max_brackets:
            document = (_TEXT_DECODER if numbers_as_text else _DECODER).decode(plain)
            if brackets <= MAX_DEPTH or _depth_is_bounded(document):
                return document
    except (ValueError, RecursionError):
        pass
    # Raised out here so that not even __context__ holds the decoder's copy of the text.
    raise MalformedJsonError("not acceptable JSON")


def _depth_is_bounded(document: object) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return True
    return not any(isinstance(node, (dict, list)) for node in level)


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
_TEXT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_constant=_refuse_constant,
    parse_int=NumberText,
    parse_float=NumberText,
)
