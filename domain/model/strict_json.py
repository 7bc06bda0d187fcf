"""JSON as the protocol needs it: UTF-8 only, no duplicate members, no NaN, no surprises."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class MalformedJsonError(ValueError):
    """The text is not acceptable JSON. Carries nothing of the text."""


def parse_json(text: str | bytes) -> object:
    """Parse one JSON document.

    Raises:
        MalformedJsonError: not UTF-8, not JSON, too deep, a number too long, NaN or Infinity, or
            an object that names a member twice.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError):
        pass
    # Raised out here so that not even __context__ holds the decoder's copy of the text.
    raise MalformedJsonError("not acceptable JSON")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
