"""What each reason means: the reference of docs/reasons.md, as the console shows it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.model.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OBSERVED: Final = "observed_"

DIFFERS: Final = "…"
"""Stands in an advice for what differs from one request to the next."""


class Reason(NamedTuple):
    """One code of the audit trail.

    Attributes:
        errors: names on the wire, none for a reason why a request was answered.
        advice: what to do; see `DIFFERS`.
    """

    code: str
    errors: Sequence[str]
    advice: Sequence[str]


@cache
def reasons() -> Mapping[str, Reason]:
    """Return every reason by its code."""
    text = files("adapters.console").joinpath("reasons.json").read_text("utf-8")
    return {
        code: Reason(code, entry["errors"], entry["advice"])
        for code, entry in json.loads(text).items()
    }


def operator_advice(reason: str, error: str | None, told: str | None) -> str | None:
    """Return what an operator can do about a request that ended so.

    A caller that is not authorized is told the same whatever the reason is, so that it learns
    nothing; to the operator the reason says more.

    Args:
        reason: why the request ended.
        error: its name on the wire.
        told: what the caller was told.
    """
    known = reasons().get(reason)
    if error != Unauthorized.__name__ or known is None:
        return told
    if len(known.advice) != 1:
        # Several stores give the reason, and the event names none of them.
        return None
    (advice,) = known.advice
    return told if DIFFERS in advice else advice


def anchor_of(reason: str) -> str:
    """Return the anchor of the reason on the page of reasons; "" if it is not there."""
    code = reason.removeprefix(OBSERVED)
    return code if code in reasons() else ""
