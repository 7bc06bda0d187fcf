"""What each reason means: the reference of docs/reasons.md, as the console shows it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OBSERVED: Final = "observed_"


class Reason(NamedTuple):
    """One code of the audit trail.

    Attributes:
        errors: names on the wire, none for a reason why a request was answered.
        advice: what to do; "…" stands for what differs from one request to the next.
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


def anchor_of(reason: str) -> str:
    """Return the anchor of the reason on the page of reasons; "" if it is not there."""
    code = reason.removeprefix(OBSERVED)
    return code if code in reasons() else ""
