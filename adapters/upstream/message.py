"""One HTTP request as it is sent, and one response as it came."""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.json_members import member_of
from domain.model.opaque import opaque
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@opaque
class UpstreamRequest:
    """What is sent. Its repr shows neither headers nor body, which hold credentials.

    Attributes:
        method: "GET", "POST" and so on.
        url: absolute and percent-encoded; sent as it is.
        headers: beside those that every request has.
        body: sent as it is.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = field(default=None, repr=False)


@final
class UpstreamResponse:
    """What the server answered. Its repr shows the status only.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; of several of one name, the last.
        body: whole and bounded, as received.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @override
    def __repr__(self) -> str:
        return f"UpstreamResponse({self.status})"

    @cached_property
    def is_json(self) -> bool:
        """Whether the body calls itself JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json"

    @cached_property
    def document(self) -> object:
        """The parsed body; None where it is no acceptable JSON."""
        if not self.is_json:
            return None
        try:
            return parse_json(self.body)
        except MalformedJsonError:
            return None

    def member(self, *path: str) -> object:
        """Return a member of the body's JSON object, or what stands at a path in it; or None."""
        return member_of(self.document, *path)

    def text(self, name: str) -> str:
        """Return a member that is a text, or "". It may hold names: never log or pass it on."""
        member = self.member(name)
        return member if isinstance(member, str) else ""

    @staticmethod
    def safe_id(candidate: object) -> str | None:
        """Return a request id that is harmless to log; None for anything else."""
        is_safe = isinstance(candidate, str) and _SAFE_REQUEST_ID.fullmatch(candidate)
        return str(candidate) if is_safe else None
