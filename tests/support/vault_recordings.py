"""Exchanges recorded from a real OpenBao 2.6.2, as the server sent them byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.upstream.message import UpstreamResponse

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings" / "openbao"


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange.

    Attributes:
        method: of the request.
        target: path and query as sent.
        response: what came back.
    """

    method: str
    target: str
    response: UpstreamResponse


def recording(name: str) -> Recording:
    """Return a recorded exchange."""
    document: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    method, target, _ = document["request"]["line"].split(" ")
    response = document["response"]
    return Recording(
        method,
        target,
        UpstreamResponse(
            response["status"],
            {key.lower(): value for key, value in response["headers"].items()},
            (response.get("body_text") or "").encode(),
        ),
    )
